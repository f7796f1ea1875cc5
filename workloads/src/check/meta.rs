//! Ops that neither read nor write: their weights, and beside what they cannot be checked.

use super::Check;
use crate::error::SpecError;
use crate::limits;
use crate::plan::Meta;
use crate::spec::Spec;

/// The kinds, as errors list them.
const NAMES: &str = "openat, statx, rename, unlink, truncate or sync_file_range";

/// The weights of a spec.
pub(super) fn of(check: &Check<'_>, spec: &Spec) -> Result<Meta, SpecError> {
    let mix = &spec.mix;
    let weight = |field, found| check.range(field, found, limits::WEIGHT).map(|w| w as u32);
    let meta = Meta {
        openat: weight("mix.openat", mix.openat)?,
        statx: weight("mix.statx", mix.statx)?,
        rename: weight("mix.rename", mix.rename)?,
        unlink: weight("mix.unlink", mix.unlink)?,
        truncate: weight("mix.truncate", mix.truncate)?,
        sync_file_range: weight("mix.sync_file_range", mix.sync_file_range)?,
    };
    if spec.sockets.is_some() && !meta.is_empty() {
        return Err(check.refuse("mix", NAMES, "none of these with [sockets]"));
    }
    if spec.ring.iopoll && !meta.is_empty() {
        return Err(check.refuse("mix", NAMES, "none of these with ring.iopoll"));
    }
    if meta.truncate == 0 {
        return Ok(meta);
    }
    let allowed = if mix.read > 0 {
        "0 beside mix.read, because a read behind the end of its file reads nothing"
    } else if mix.write != Some(0) && spec.run.verify {
        "0 beside mix.write, because what is cut off cannot be read back; or add \
         `run.verify = false`"
    } else {
        return Ok(meta);
    };
    Err(check.refuse("mix.truncate", meta.truncate, allowed))
}
