//! Which works are in flight, as the submitter knows it: a mistake of its own ends on its thread,
//! and not on a worker's.

use crate::work::{BUCKETS, Flags, WorkId};

/// What became of a work last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is not in flight.
    Free,
    /// It is defined, with this one linked behind it, and no work in flight links to it.
    Defined(Option<WorkId>),
    /// It is queued or runs, or one does that it is linked behind, or its end was not taken yet.
    InFlight,
}

/// The stage of each work.
pub(super) struct InFlight(Vec<Stage>);

impl InFlight {
    /// None of this many works.
    pub(super) fn new(works: usize) -> InFlight {
        InFlight(vec![Stage::Free; works])
    }

    /// A work is defined. Panics if it must not be.
    pub(super) fn define(&mut self, work: WorkId, flags: Flags, link: Option<WorkId>) {
        *self.free(work, flags) = Stage::Defined(link);
    }

    /// A work is queued, and so are those linked behind it. Panics if one of them must not be.
    pub(super) fn submit(&mut self, work: WorkId, flags: Flags, mut link: Option<WorkId>) {
        *self.free(work, flags) = Stage::InFlight;
        while let Some(work) = link {
            let stage = self.0.get_mut(work.index());
            link = match stage.map(|stage| std::mem::replace(stage, Stage::InFlight)) {
                Some(Stage::Defined(behind)) => behind,
                _ => panic!("a link to work {}, which is not defined or in flight", work.0),
            };
        }
    }

    /// The end of a work was taken.
    pub(super) fn ended(&mut self, work: WorkId) {
        self.0[work.index()] = Stage::Free;
    }

    /// The stage of a work that may be used.
    fn free(&mut self, work: WorkId, flags: Flags) -> &mut Stage {
        let works = self.0.len();
        let bucket = flags.bucket.unwrap_or_default();
        assert!(usize::from(bucket) < BUCKETS, "bucket {bucket}: there are {BUCKETS}");
        let stage = self.0.get_mut(work.index());
        let stage = stage.unwrap_or_else(|| panic!("work {}: there is room for {works}", work.0));
        assert!(*stage == Stage::Free, "work {} is in flight or defined already", work.0);
        stage
    }
}
