//! Where the time of a bench went, in one line.

use std::time::Duration;

use iowq_contract::Phases;
use iowq_harness::clock::duration_ns;

/// The share of measuring, warm-ups and watches after the last close among it, in all the time that a
/// bench took, and of what else it did, as far as that is worth a word.
pub(crate) fn time_spent(phases: &Phases, took: Duration) -> String {
    let Phases { attach_ns, layout_ns, settle_ns, drive_ns, detach_ns, verify_ns } = *phases;
    let took_ns = duration_ns(took);
    let percent = |ns: u64| (ns as f64 / took_ns.max(1) as f64 * 100.0).round();
    let rest_ns = took_ns.saturating_sub(phases.sum_ns());
    let others = [
        ("probes", attach_ns + detach_ns),
        ("layout", layout_ns),
        ("waiting for a quiet disk", settle_ns),
        ("reading back", verify_ns),
        ("processes, records and report", rest_ns),
    ];
    let others = others.map(|(what, ns)| (what, percent(ns)));
    let others = others.iter().filter(|(_, percent)| *percent > 0.0);
    let others = others.map(|(what, percent)| format!(", {what} {percent} %"));
    let (measuring, seconds) = (percent(drive_ns), took.as_secs_f64());
    format!("time     measuring {measuring} % of {seconds:.0} s{}\n", others.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_any_time_is_named_with_its_share() {
        let second = 1_000_000_000;
        let phases = Phases {
            attach_ns: second,
            drive_ns: 16 * second,
            detach_ns: second,
            layout_ns: second,
            ..Phases::default()
        };
        assert_eq!(
            time_spent(&phases, Duration::from_secs(20)),
            "time     measuring 80 % of 20 s, probes 10 %, layout 5 %, processes, records and \
             report 5 %\n"
        );
        let nothing = time_spent(&Phases::default(), Duration::ZERO);
        assert_eq!(nothing, "time     measuring 0 % of 0 s\n");
    }
}
