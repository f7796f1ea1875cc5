//! Classes of work: how each op of a plan is queued under a policy.

use std::os::fd::OwnedFd;

use iowq_workloads::{Plan, bucket};

use super::api::Request;
use crate::io;
use iowq_pool::policy::{Policy, PuntedOp};
use iowq_pool::work::Flags;

/// A policy's view of the ops of one plan.
pub(super) struct Classes<'a> {
    policy: Box<dyn Policy>,
    plan: &'a Plan,
    /// Of each file.
    buckets: Vec<u8>,
    /// Whether the file system takes direct writes to one file in parallel.
    direct_in_parallel: bool,
}

impl<'a> Classes<'a> {
    /// Classes for this plan on its files.
    pub(super) fn new(policy: Box<dyn Policy>, plan: &'a Plan, files: &[OwnedFd]) -> Classes<'a> {
        let buckets = plan.hash_ids.iter().map(|&id| bucket::bucket(id) as u8).collect();
        // A file whose file system is unknown is taken for one that does not.
        let direct_in_parallel =
            files.first().is_none_or(|file| io::direct_writes_in_parallel(file).unwrap_or(false));
        Classes { policy, plan, buckets, direct_in_parallel }
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
            direct_in_parallel: self.direct_in_parallel,
        })
    }
}
