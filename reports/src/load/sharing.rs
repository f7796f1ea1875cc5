//! Sharing: what runs of one cell have alike is in memory once.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use iowq_contract::{Host, Record, Settings, Shared};

/// What the last run of each cell had.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    last: HashMap<u64, (Shared<Host>, Shared<Settings>)>,
    hasher: RandomState,
}

impl Sharing {
    /// Replaces what is as in the last run of its cell by that.
    pub(super) fn share(&mut self, run: &mut Record) {
        let key = &run.key;
        let cell = (&key.workload, &key.engine, &key.policy, key.role.name(), &run.host.device);
        let cell = self.hasher.hash_one(cell);
        let (host, settings) =
            self.last.entry(cell).or_insert_with(|| (run.host.clone(), run.settings.clone()));
        share(&mut run.host, host);
        share(&mut run.settings, settings);
    }
}

fn share<T: Clone + PartialEq>(part: &mut Shared<T>, last: &mut Shared<T>) {
    if *part == *last {
        part.clone_from(last);
    } else {
        last.clone_from(part);
    }
}
