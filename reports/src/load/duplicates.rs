//! Duplicates: runs that were read twice, which would make a result look surer than it is.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use iowq_contract::{Latency, Overrides, Record};

/// Where a run was read: the number of its file, and its line.
pub(crate) type Place = (usize, usize);

/// The runs that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    /// By what tells runs apart, as a number: which of those that were kept, what its bulk was, and
    /// where it was read.
    seen: HashMap<u64, (usize, u64, Place)>,
    hasher: RandomState,
    /// How many were read again.
    pub(crate) count: u64,
}

impl Duplicates {
    /// Where the run stands of which `record`, read at `place`, is a copy; `kept` are those that
    /// were kept, and `bulk` is what was taken out of it, as a number. It is noted as the next of
    /// them if it is no copy.
    ///
    /// # Errors
    ///
    /// The place of a run that is the same and says otherwise: one of the two was changed by hand.
    pub(crate) fn has(
        &mut self,
        record: &Record,
        bulk: u64,
        place: Place,
        kept: &[Record],
    ) -> Result<Option<Place>, Place> {
        let next = (kept.len(), bulk, place);
        let (at, first_bulk, first) =
            *self.seen.entry(self.hasher.hash_one(key(record))).or_insert(next);
        match kept.get(at).filter(|twin| key(twin) == key(record)) {
            None => Ok(None),
            Some(twin) if twin == record && first_bulk == bulk => {
                self.count += 1;
                Ok(Some(first))
            }
            Some(_) => Err(first),
        }
    }

    /// Whether that run was read, whatever it said.
    pub(crate) fn knows(&self, record: &Record) -> bool {
        self.seen.contains_key(&self.hasher.hash_one(key(record)))
    }
}

/// When it started, how long it took, its place, its workload and variant.
type Key<'r> = (&'r str, u64, u32, &'r str, (&'r str, &'r str, &'r Overrides));

/// What tells runs apart. Of an imported histogram neither start nor length is known, so that what it
/// says must do.
fn key(record: &Record) -> (Key<'_>, Option<&Latency>) {
    let key = &record.key;
    let latency = (record.duration_ns == 0).then_some(&record.latency);
    let known = (&*record.started, record.duration_ns, key.position, &*key.workload, key.variant());
    (known, latency)
}
