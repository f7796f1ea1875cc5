//! What exports have in common: the name of a run, when it started and ended, and what it cost.

use iowq_contract::{Record, Role};
use jiff::{SignedDuration, Timestamp};

/// Runs that finished, in the order of the record.
pub(crate) fn finished(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.error.is_none())
}

/// What a run is one of: `fsync-mix/6.12/pool`, with the role behind it if there is a special
/// one, so that a control run never passes for a measured one.
pub(crate) fn name(record: &Record) -> String {
    let key = &record.key;
    let name = format!("{}/{}/{}", key.workload, key.policy, key.engine);
    match key.role {
        Role::Measured => name,
        special => format!("{name}/{}", special.name()),
    }
}

/// When a run started; `None` where a hand wrote something else there.
pub(crate) fn started(record: &Record) -> Option<Timestamp> {
    record.started.parse().ok()
}

/// When a run ended, if it is known when it started.
pub(crate) fn ended(record: &Record) -> Option<Timestamp> {
    let length = SignedDuration::from_nanos(i64::try_from(record.duration_ns).ok()?);
    started(record)?.checked_add(length).ok()
}
