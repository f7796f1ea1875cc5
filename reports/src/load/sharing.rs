//! Sharing: what runs of one cell have alike is in memory once.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use iowq_contract::{Host, Record, Settings, Shared};

/// Host, settings, and the settings without what was set.
type Parts = (Shared<Host>, Shared<Settings>, Option<Shared<Settings>>);

/// What the last run of each cell had.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    last: HashMap<u64, Parts>,
    hasher: RandomState,
}

impl Sharing {
    /// Replaces what is as in the last run of its cell by that.
    pub(super) fn share(&mut self, run: &mut Record) {
        let key = &run.key;
        let cell = (&key.workload, key.variant(), key.role.name(), &run.host.device);
        let cell = self.hasher.hash_one(cell);
        let first = || (run.host.clone(), run.settings.clone(), run.settings_unset.clone());
        let (host, settings, unset) = self.last.entry(cell).or_insert_with(first);
        share(&mut run.host, host);
        share(&mut run.settings, settings);
        if let (Some(run), Some(unset)) = (&mut run.settings_unset, unset) {
            share(run, unset);
        }
    }
}

fn share<T: Clone + PartialEq>(part: &mut Shared<T>, last: &mut Shared<T>) {
    if *part == *last {
        part.clone_from(last);
    } else {
        last.clone_from(part);
    }
}
