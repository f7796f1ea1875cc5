//! Caveats about a pool whose scheduler's probe missed switches of its workers.

use iowq_contract::{Code, Switches, Workers};

use super::check::Check;

/// What of the workers' switches was missed, and whether that spoils churn. `cpus` are the
/// processors that the run could use.
pub(super) fn checks(switches: &Switches, workers: &Workers, cpus: u32) -> [Check; 2] {
    let sleeps = workers.sleeps.unwrap_or_default();
    let peak = workers.peak.unwrap_or_default();
    let often = switches.spoil_churn(sleeps, peak, cpus);
    let Switches { outs_asleep, outs_asleep_missed, ins_missed_in_works: returns, .. } = switches;
    let percent = 100.0 * switches.spoiled(sleeps, peak, cpus);
    let text = format!(
        "The scheduler's probe missed {outs_asleep_missed} of {outs_asleep} times that a worker \
         went to sleep, and {returns} returns from {sleeps} sleeps in works, by the kernel's count \
         of each thread's switches. The running count was wrong by one until that worker's next \
         switch or the end of its work: at {percent:.2} % of decisions whether to make a worker, \
         at most.",
    );
    let missed = outs_asleep_missed + returns > 0;
    let more = "That is more than 1 %: no statement on churn.";
    [
        (missed && !often, Code::SwitchesMissed, text.clone()),
        (often, Code::SwitchesMissedOften, format!("{text} {more}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(outs_asleep_missed: u64, ins_missed_in_works: u64) -> Vec<Code> {
        let workers = Workers { sleeps: Some(1000), peak: Some(8), ..Workers::default() };
        let switches = Switches {
            outs_asleep: 2000,
            outs_asleep_missed,
            ins_missed_in_works,
            ..Switches::default()
        };
        let checks = checks(&switches, &workers, 2);
        checks.into_iter().filter_map(|(holds, code, _)| holds.then_some(code)).collect()
    }

    #[test]
    fn few_missed_switches_are_reported_and_many_forbid_a_statement_on_churn() {
        assert!(codes(0, 0).is_empty());
        assert_eq!(codes(1, 0), [Code::SwitchesMissed]);
        assert_eq!(codes(0, 5), [Code::SwitchesMissed]);
        assert_eq!(codes(2, 0), [Code::SwitchesMissedOften]);
        assert_eq!(codes(1, 2), [Code::SwitchesMissedOften]);
    }
}
