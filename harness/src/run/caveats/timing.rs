//! Timing: checks about a run that did not take the time that it should have.

use iowq_contract::{Code, TaskResult};
use std::time::Duration;

use iowq_workloads::{Arrival, Plan};

use super::check::Check;
use crate::run::outcome::Outcome;

use crate::clock::duration_ns;
use crate::drive::DriveStats;
use crate::io::read_start;

/// A process that does not run for this long was stopped, or its machine was: schedulers of a busy
/// machine keep a thread waiting for some hundredths of a second.
const STOPPED_NS: u64 = 1_000_000_000;

/// Part of the rate that an open loop may miss. It is that exact: ops are meant for given times.
const RATE_MISSED_MAX: f64 = 0.01;

/// How much longer or shorter than planned a run may be, beside what its last op, pause or time without
/// a ring takes.
const LENGTH_DIFFERS_MAX: f64 = 0.1;

/// The same in time, for short runs.
const LENGTH_DIFFERS_NS_MAX: u64 = 100_000_000;

/// A suspension lasts for seconds; less than this is the cost of reading two clocks.
const SUSPENDED_NS: u64 = 10_000_000;

/// What about the run's time is not as it should be.
pub(super) fn checks(plan: &Plan, outcome: &Outcome) -> [Check; 6] {
    let driven = &outcome.driven;
    let took_ns = driven.measured_until.since(driven.measured_from);
    [
        rate_not_kept(plan, &outcome.tasks, driven, took_ns),
        length_differs(plan, took_ns, outcome.remains.recorder.max_ns()),
        timed_in_part(outcome.remains.timed_one_in),
        (
            outcome.stillness.stopped_ns_max >= STOPPED_NS,
            Code::Stopped,
            format!(
                "The process did not run for {} s on end: it was stopped, or its machine was. That \
                 time is in the rates and latencies.",
                seconds(outcome.stillness.stopped_ns_max)
            ),
        ),
        (
            outcome.stillness.suspended_ns >= SUSPENDED_NS,
            Code::Suspended,
            format!(
                "The machine was suspended for {} s during the run.",
                seconds(outcome.stillness.suspended_ns)
            ),
        ),
        (
            outcome.time_namespace,
            Code::TimeNamespace,
            "The process is in a time namespace, whose clock is another than the probes': times \
             that mix both are wrong. Run it outside (`unshare --time` made it)."
                .to_owned(),
        ),
    ]
}

fn timed_in_part(one_in: Option<u32>) -> Check {
    (
        one_in.is_some(),
        Code::TimedInPart,
        format!(
            "One operation in {} was timed, because timing each no-op would slow them down: response \
             times are of these alone, and the longest of all may be longer.",
            one_in.unwrap_or(1)
        ),
    )
}

fn rate_not_kept(plan: &Plan, tasks: &[TaskResult], driven: &DriveStats, took_ns: u64) -> Check {
    let of_tasks = plan.tasks.iter().zip(tasks).map(|(task, did)| {
        let who = format!("The task {}", task.name);
        let started = did.done + did.failed;
        let rate = Rate::of(&task.plan.arrival, f64::from(task.count), started, did.duration_ns);
        (who, rate, did.never_started)
    });
    let whole = || {
        let rate = Rate::of(&plan.arrival, 1.0, driven.done + driven.failed, took_ns);
        ("The workload".to_owned(), rate, driven.never_started)
    };
    let whole = plan.tasks.is_empty().then(whole);
    let behind = of_tasks.chain(whole).find(|(_, rate, _)| rate.is_missed);
    let text = behind.as_ref().map_or_else(String::new, |(who, rate, never)| {
        let Rate { asked, got, .. } = rate;
        let never = never.map_or_else(String::new, |ops| {
            format!(
                "; {ops} ops were never handed over, because the run fell too far behind and ended"
            )
        });
        format!(
            "{who} asks for {asked:.0} ops/s and {got:.0} ops/s were started{never}: response \
             times are those of the backlog and grow with the length of the run. Ask for less, or compare \
             ops per second in a closed loop."
        )
    });
    (behind.is_some(), Code::RateNotKept, text)
}

/// Ops per second of an open loop.
struct Rate {
    asked: f64,
    got: f64,
    is_missed: bool,
}

impl Rate {
    /// Of N streams alike, which together started `started` ops.
    fn of(arrival: &Arrival, streams: f64, started: u64, took_ns: u64) -> Rate {
        let asked = arrival.per_s().unwrap_or(0.0) * streams;
        let took_s = took_ns as f64 / 1e9;
        let got = if took_ns == 0 { 0.0 } else { started as f64 / took_s };
        // Bursts and random arrivals come in lumps: one lump more or less is no failure.
        let lump = match *arrival {
            Arrival::Bursts { ops, .. } => f64::from(ops) * streams,
            Arrival::Poisson { .. } => 4.0 * (asked * took_s).sqrt(),
            Arrival::Rate { .. } | Arrival::Closed { .. } => streams,
        };
        let missing = asked * took_s * (1.0 - RATE_MISSED_MAX) - lump - started as f64;
        Rate { asked, got, is_missed: asked > 0.0 && missing > 0.0 }
    }
}

fn length_differs(plan: &Plan, took_ns: u64, op_ns_max: u64) -> Check {
    // It may end with its ops, or if a stream ends others, before its time.
    let asked_ns = plan.time_of_all().map_or(took_ns, duration_ns);
    let may_end_early = plan.streams().any(|stream| stream.ends_groups > 0);
    let missing_ns = if may_end_early { 0 } else { asked_ns.saturating_sub(took_ns) };
    let differs_ns = took_ns.saturating_sub(asked_ns).max(missing_ns);
    let waits = |plan: &Plan| {
        let pause = match plan.arrival {
            Arrival::Closed { pause, .. } => pause,
            Arrival::Bursts { gap, .. } => gap,
            Arrival::Rate { .. } | Arrival::Poisson { .. } => Duration::ZERO,
        };
        duration_ns(pause + plan.life.closed)
    };
    let last_ns = op_ns_max.saturating_add(plan.streams().map(waits).max().unwrap_or(0));
    let share_ns = (asked_ns as f64 * LENGTH_DIFFERS_MAX) as u64;
    let allowed_ns = share_ns.max(LENGTH_DIFFERS_NS_MAX).saturating_add(last_ns);
    (
        differs_ns > allowed_ns,
        Code::LengthDiffers,
        format!(
            "The run was to be measured for {} s and was for {} s.",
            seconds(asked_ns),
            seconds(took_ns)
        ),
    )
}

fn seconds(ns: u64) -> String {
    format!("{:.2}", ns as f64 / 1e9)
}

/// Whether this process has a monotonic clock of its own (time_namespaces(7)).
pub(in crate::run) fn in_time_namespace() -> bool {
    // Kernels before 5.6 have no such file, and no such namespaces.
    read_start("/proc/self/timens_offsets".as_ref(), 4096)
        .is_ok_and(|(bytes, _)| shifts_monotonic(&String::from_utf8_lossy(&bytes)))
}

/// Whether the offsets of a time namespace shift the monotonic clock.
fn shifts_monotonic(offsets: &str) -> bool {
    let monotonic = offsets.lines().find_map(|line| line.strip_prefix("monotonic"));
    monotonic.is_some_and(|offset| offset.split_whitespace().any(|part| part != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arrival: &str, run: &str) -> Plan {
        let text = format!("[arrival]\n{arrival}\n[run]\n{run}");
        Plan::parse("timed", "timed.toml", &text).expect("a valid spec")
    }

    #[test]
    fn a_run_of_which_one_op_in_eight_was_timed_says_so() {
        let (holds, code, text) = timed_in_part(Some(8));
        assert_eq!((holds, code), (true, Code::TimedInPart));
        assert!(text.starts_with("One operation in 8 was timed"), "{text}");
        assert!(!timed_in_part(None).0);
    }

    const SECOND_NS: u64 = 1_000_000_000;

    fn driven(done: u64, never_started: Option<u64>) -> DriveStats {
        DriveStats { done, never_started, ..DriveStats::default() }
    }

    #[test]
    fn a_task_that_falls_behind_is_named_and_one_that_keeps_its_rate_hides_no_other() {
        let spec = "[[task]]\nname = \"log\"\n[[task]]\nname = \"readers\"\ncount = 2\n\
                    arrival = { pattern = \"rate\", per_s = 100 }";
        let plan = Plan::parse("db", "db.toml", spec).expect("a valid spec");
        let did = |done| TaskResult { done, duration_ns: SECOND_NS, ..TaskResult::default() };
        let of = |readers| {
            rate_not_kept(&plan, &[did(9), did(readers)], &driven(9, None), 2 * SECOND_NS)
        };
        assert!(!of(200).0);
        let (holds, _, text) = of(150);
        assert!(holds && text.starts_with("The task readers asks for 200 ops/s and 150"), "{text}");
    }

    #[test]
    fn only_an_open_loop_that_starts_too_few_ops_has_a_caveat() {
        let rows = [
            ("pattern = \"rate\"\nper_s = 1000", 1000, false),
            ("pattern = \"rate\"\nper_s = 1000", 990, false),
            ("pattern = \"rate\"\nper_s = 1000", 980, true),
            ("pattern = \"poisson\"\nper_s = 1000", 900, false),
            ("pattern = \"poisson\"\nper_s = 1000", 800, true),
            ("pattern = \"bursts\"\nburst_ops = 100\ngap_ms = 100", 900, false),
            ("pattern = \"bursts\"\nburst_ops = 100\ngap_ms = 100", 700, true),
            ("pattern = \"closed\"", 1, false),
        ];
        for (arrival, started, expected) in rows {
            let (holds, _, text) = rate_not_kept(
                &plan(arrival, "seconds = 1"),
                &[],
                &driven(started, None),
                SECOND_NS,
            );
            assert_eq!(holds, expected, "{arrival} {started}: {text}");
        }
    }

    #[test]
    fn ops_that_were_never_handed_over_are_in_the_doubt() {
        let plan = plan("pattern = \"rate\"\nper_s = 1000", "seconds = 1");
        let (_, _, text) = rate_not_kept(&plan, &[], &driven(400, Some(600)), 2_000_000_000);
        assert!(text.contains("200 ops/s were started; 600 ops were never handed over"), "{text}");
    }

    #[test]
    fn a_run_of_another_length_than_planned_has_a_caveat_unless_its_ops_end_it() {
        for (run, took_ms, expected) in [
            ("seconds = 2", 2010, false),
            ("seconds = 2", 2300, true),
            ("seconds = 2", 1500, true),
            ("seconds = 0.1", 190, false),
            ("seconds = 0.1", 210, true),
            ("ops = 10", 99_000, false),
        ] {
            let (holds, ..) = length_differs(&plan("", run), took_ms * 1_000_000, 5_000_000);
            assert_eq!(holds, expected, "{run} {took_ms}");
        }
    }

    #[test]
    fn a_run_is_as_long_as_its_streams_with_delay_and_may_be_shorter_if_one_ends_others() {
        let spec = "[run]\nseconds = 2\n[[task]]\nname = \"a\"\n[[task]]\nname = \"b\"";
        let mut plan = Plan::parse("late", "late.toml", spec).expect("a valid spec");
        let differs = |plan: &Plan, took_s| length_differs(plan, took_s * SECOND_NS, 5_000_000).0;
        plan.tasks[1].plan.begins_after = Duration::from_secs(2);
        assert!(!differs(&plan, 4) && differs(&plan, 2) && differs(&plan, 6));
        plan.tasks[0].plan.begins_after = Duration::from_secs(2);
        assert!(!differs(&plan, 2) && differs(&plan, 4), "nothing is measured before both begin");
        plan.tasks[0].plan.ends_groups = 1;
        assert!(!differs(&plan, 1) && !differs(&plan, 2) && differs(&plan, 4));
    }

    #[test]
    fn a_shifted_clock_is_detected() {
        assert!(!shifts_monotonic(
            "monotonic           0         0\nboottime            0         0\n"
        ));
        assert!(shifts_monotonic(
            "monotonic      100000         0\nboottime            0         0\n"
        ));
        assert!(!shifts_monotonic(""));
    }
}
