//! Answers to what a driver submits on connections.

use iowq_workloads::OpKind;

use super::Driver;
use crate::clock;
use crate::engine::Request;
use crate::far_end::Answer;

impl Driver<'_> {
    /// Has the other end answer what is submitted now, if it is on a connection.
    pub(super) fn have_answered(&self) {
        let (Some(far_end), Some(sockets)) = (self.far_end, self.plan.sockets) else { return };
        for Request { op, .. } in &self.chain {
            if op.kind.is_of_messages() {
                far_end.answer(Answer {
                    due: clock::now().after(sockets.answer_to(op.number, self.seed)),
                    socket: op.file,
                    sends: op.kind != OpKind::Send,
                    bytes: op.bytes(self.plan.block_bytes),
                });
            }
        }
    }
}
