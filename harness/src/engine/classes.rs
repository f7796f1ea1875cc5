//! Classes of work: how each op of a plan is queued under a policy.

use iowq_workloads::{Plan, bucket};

use super::Request;
use crate::pool::policy::{Policy, PuntedOp};
use crate::pool::work::Flags;

/// A policy's view of the ops of one plan.
pub(super) struct Classes<'a> {
    policy: Box<dyn Policy>,
    plan: &'a Plan,
    /// Of each file.
    buckets: Vec<u8>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(policy: Box<dyn Policy>, plan: &'a Plan) -> Classes<'a> {
        let buckets = plan.hash_ids.iter().map(|&id| bucket::bucket(id) as u8).collect();
        Classes { policy, plan, buckets }
    }

    /// How the op at this place of a chain is queued.
    pub(super) fn flags(&self, request: &Request, place: usize) -> Flags {
        let file = request.op.file as usize;
        self.policy.flags(PuntedOp {
            kind: request.op.kind,
            open: self.plan.open[file],
            bucket: self.buckets[file],
            behind_link: place > 0,
            force_async: self.plan.force_async,
        })
    }
}
