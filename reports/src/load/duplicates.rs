//! Duplicates: runs that were read twice, which would make a result look surer than it is.

use std::collections::HashMap;

use iowq_contract::Record;

/// What tells runs apart: when it started, how long it took, its place, and the names of its cell.
type Key = (String, u64, u32, [String; 3]);

/// Where a run was read: the number of its file, and its line.
pub(crate) type Place = (usize, usize);

/// The runs that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    seen: HashMap<Key, (usize, Place)>,
    /// How many were read again.
    pub(crate) count: u64,
}

impl Duplicates {
    /// Where the run stands of which `record`, read at `place`, is a copy; `kept` are those that
    /// were kept. It is noted as the next of them if it is no copy.
    ///
    /// # Errors
    ///
    /// The place of a run that is the same and says otherwise: one of the two was changed by hand.
    pub(crate) fn has(
        &mut self,
        record: &Record,
        place: Place,
        kept: &[Record],
    ) -> Result<Option<Place>, Place> {
        let (at, first) = *self.seen.entry(key(record)).or_insert((kept.len(), place));
        match kept.get(at) {
            None => Ok(None),
            Some(twin) if twin == record => {
                self.count += 1;
                Ok(Some(first))
            }
            Some(_) => Err(first),
        }
    }

    /// Whether that run was read, whatever it said.
    pub(crate) fn knows(&self, record: &Record) -> bool {
        self.seen.contains_key(&key(record))
    }
}

fn key(record: &Record) -> Key {
    let key = &record.key;
    let names = [&key.workload, &key.engine, &key.policy].map(Clone::clone);
    (record.started.clone(), record.duration_ns, key.position, names)
}
