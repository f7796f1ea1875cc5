//! What exports have in common: the name of a run, when it started and ended, and what it cost.

use std::borrow::Cow;
use std::io;

use iowq_contract::{Record, Role};
use jiff::{SignedDuration, Timestamp};

use crate::runs::hosts::Hosts;

/// How a run is got with its histograms.
pub(crate) type Whole<'w> = &'w dyn for<'a> Fn(&'a Record) -> io::Result<Cow<'a, Record>>;

/// Runs that finished, in the order of the record.
pub(crate) fn finished(records: &[Record]) -> impl Iterator<Item = &Record> + Clone {
    records.iter().filter(|record| record.error.is_none())
}

/// What a run is one of: `fsync-mix/6.12/pool`, with what was set and the role behind it if there is a special
/// one, so that a control run never passes for a measured one, and the host if there are several.
pub(crate) fn name(record: &Record, hosts: &Hosts<'_>) -> String {
    let key = &record.key;
    let mut name = format!("{}/{}/{}", key.workload, key.policy, key.engine);
    // Names are parted by slashes.
    name.extend(key.set.parts().map(|part| format!("/{}", part.replace('/', "_"))));
    if key.role != Role::Measured {
        name = format!("{name}/{}", key.role.name());
    }
    let host = hosts.name(record).map(|host| format!("/{}", host.replace('/', "_")));
    name + &host.unwrap_or_default()
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
