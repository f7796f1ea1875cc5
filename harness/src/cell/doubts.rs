//! The doubts that a run raises by itself; those of the machine are in `machine`.

use iowq_record::{Blocking, Caveat, Counts, Tier, Workers};

use super::Outcome;

/// The doubts that a run raises by itself.
pub(super) fn doubts(outcome: &Outcome, workers: &Workers) -> Vec<Caveat> {
    let lost: u64 = outcome.seen.lost.iter().map(|(_, lost)| lost).sum();
    let untracked = outcome.sleeps.map_or(0, |(_, untracked)| untracked);
    let failed = outcome.driven.failed;
    let saturated = outcome.remains.recorder.saturated();
    let doubts = [
        (
            lost > 0,
            "events-lost",
            format!(
                "{lost} probe events were lost, so births and deaths are lower bounds: no statement on churn."
            ),
        ),
        (
            !(workers.created.agree() && workers.exited.agree()),
            "counts-disagree",
            format!(
                "The sources do not agree on how many workers there were: created {}, exited {}.",
                counts(&workers.created),
                counts(&workers.exited)
            ),
        ),
        (
            outcome.seen.tier != Tier::Bpf,
            "no-bpf",
            format!(
                "No eBPF probes ({}): births and deaths are the engine's own.",
                outcome.seen.reason
            ),
        ),
        (
            outcome.blocking == Blocking::Declared,
            "blocking-declared",
            "Workers said themselves that they block, around every call, whether it slept or not: \
             more workers are made than the kernel would make. `--blocking sched` (as root) asks \
             the scheduler."
                .to_owned(),
        ),
        (
            untracked > 0,
            "untracked-workers",
            format!(
                "The scheduler's probe did not know of {untracked} workers, so their sleeps made nobody."
            ),
        ),
        (failed > 0, "ops-failed", format!("{failed} ops failed; they are in no latency figure.")),
        (
            saturated > 0,
            "latency-saturated",
            format!("{saturated} latencies were longer than 100 s and count as that."),
        ),
        (
            workers.creations_failed > 0,
            "creations-failed",
            format!(
                "{} workers could not be created; see ulimit -u and the pids limit of the cgroup.",
                workers.creations_failed
            ),
        ),
    ];
    doubts
        .into_iter()
        .filter(|(holds, ..)| *holds)
        .map(|(_, code, text)| Caveat { code: code.to_owned(), text })
        .collect()
}

fn counts(counts: &Counts) -> String {
    let text = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!(
        "probe {}, engine {}, proc {}",
        text(counts.probe),
        text(counts.engine),
        text(counts.proc)
    )
}
