//! Unlike: settings and lengths in which runs of one workload on one engine differ, and patches in
//! which runs of one policy do, as caveats.

use std::collections::BTreeMap;

use iowq_contract::{Code, Record, Settings};

use crate::format;
use crate::runs::caveat::ScopedCaveat;
use crate::runs::differences;

/// Workloads that are named with what differs.
const NAMED_MAX: usize = 4;

pub(crate) fn caveats<'a>(made: impl Iterator<Item = &'a Record>) -> Vec<ScopedCaveat> {
    let mut cells: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
    for run in made {
        cells.entry((&run.key.workload, &run.key.engine)).or_default().push(run);
    }
    let settings = named(&cells, |runs| match differences::settings(runs) {
        found if found.is_empty() => differences::beside_set(runs, otherwise).pop(),
        found => Some(found.join("; ")),
    });
    let lengths = named(&cells, |runs| differences::lengths(runs).pop());
    let mut policies: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
    for run in cells.into_values().flatten() {
        policies.entry((&run.key.policy, &run.key.engine)).or_default().push(run);
    }
    let patches = named(&policies, |runs| differences::differs(&differences::PATCHES, runs));
    let caveat = |code, text: &str, what: Option<String>| {
        what.map(|what| ScopedCaveat::of_all(code, format!("{text}: {what}")))
    };
    let text = "runs of the same workload had different settings";
    let settings = caveat(Code::SettingsDiffer, text, settings);
    let text = "runs of the same workload were to take different times or numbers of ops";
    let lengths = caveat(Code::LengthsDiffer, text, lengths);
    let text = "a policy is not the same in all its runs, as of two versions of iowq";
    let patches = caveat(Code::SettingsDiffer, text, patches);
    settings.into_iter().chain(lengths).chain(patches).collect()
}

/// `dsync (depth: 16 and 64)` and so on; none if nothing differs.
fn named(
    groups: &BTreeMap<(&str, &str), Vec<&Record>>,
    find: impl Fn(&[&Record]) -> Option<String>,
) -> Option<String> {
    let found = groups.iter().filter_map(|((name, _), runs)| Some((name, find(runs)?)));
    let parts: Vec<String> =
        found.map(|(name, what)| format!("{} ({what})", format::clip(name, 60))).collect();
    (!parts.is_empty()).then(|| format::first_of(parts, NAMED_MAX))
}

/// In what settings differ that are in no list.
fn otherwise(runs: &[&Record]) -> Vec<String> {
    let unlike = (!all_same(runs)).then(|| "in summary or watch".to_owned());
    unlike.into_iter().collect()
}

/// Whether settings are the same but for the switches, which are the policy's own, the delay, which
/// is a control's, and the plan, of which older records say nothing.
fn all_same(runs: &[&Record]) -> bool {
    let shared = |run: &Record| Settings {
        patches: Vec::new(),
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
        ..(*run.settings).clone()
    };
    let first = runs.first().map(|run| (shared(run), run.blocking));
    runs.iter().all(|run| Some((shared(run), run.blocking)) == first)
}
