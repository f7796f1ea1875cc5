//! A note on last workers that stayed until the watch over them ended.

use iowq_contract::{Caveat, Code};

use crate::format;
use crate::runs::linger::stayed;
use crate::runs::unit::{self, Unit};

/// What a reader must know of stays that outlasted the watch.
pub fn note(base: &[Unit<'_>], test: &[Unit<'_>]) -> Option<Caveat> {
    let [base_stayed, test_stayed] = [base, test].map(|units| {
        let units = units.iter().filter(|unit| unit.runs.iter().any(|run| stayed(run)));
        units.count()
    });
    if base_stayed + test_stayed == 0 {
        return None;
    }
    let runs = || base.iter().chain(test).flat_map(|unit| &unit.runs);
    let watched_ms = runs().filter_map(|run| run.settings.watched_ms).max()?;
    let boots = runs().any(|run| unit::any(&[run]));
    let text = format!(
        "The last worker was still there at the end of the watch in {base_stayed} of {} {units} of \
         the base and {test_stayed} of {} of the test. Such a stay counts as {}, the length of \
         the watch, so that differences to it are lower bounds.",
        base.len(),
        test.len(),
        format::duration(watched_ms as f64 * 1e6),
        units = if boots { "boots" } else { "runs" },
    );
    Some(Caveat::new(Code::Stayed, text))
}
