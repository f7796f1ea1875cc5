//! Contradictions: figures of one record that cannot both be true.

use iowq_contract::{Counts, Quantiles, Record};

/// How far apart a rate and what it is computed from may be, as a share.
const RATE_TOLERANCE: f64 = 0.01;

/// Names two figures that contradict each other, if any do.
pub(super) fn check(record: &Record) -> Result<(), String> {
    probe(record)?;
    ops(record)?;
    workers(record)?;
    latency(record)
}

fn probe(record: &Record) -> Result<(), String> {
    let lost = sum(record.probe.lost.values());
    let all = record.probe.events_lost;
    // Old records name no causes.
    if record.probe.lost.is_empty() || lost == all {
        return Ok(());
    }
    Err(format!("probe.events_lost is {all}, and probe.lost adds up to {lost}"))
}

fn ops(record: &Record) -> Result<(), String> {
    let ops = &record.ops;
    let failures = sum(ops.failures.values());
    if !ops.failures.is_empty() && failures != ops.failed {
        return Err(format!(
            "ops.failed is {}, and ops.failures adds up to {failures}",
            ops.failed
        ));
    }
    let (done, duration_ns) = (ops.done, record.duration_ns);
    if duration_ns == 0 {
        return Ok(());
    }
    let per_s = done as f64 * 1e9 / duration_ns as f64;
    if (per_s - ops.per_s).abs() > per_s.max(ops.per_s) * RATE_TOLERANCE {
        return Err(format!(
            "ops.per_s is {}, and ops.done, {done}, in duration_ns, {duration_ns}, makes {per_s}",
            ops.per_s
        ));
    }
    Ok(())
}

fn workers(record: &Record) -> Result<(), String> {
    let workers = &record.workers;
    let sources: [fn(&Counts) -> Option<u64>; 3] =
        [|counts| counts.probe, |counts| counts.engine, |counts| counts.proc];
    for (source, of) in ["probe", "engine", "proc"].iter().zip(sources) {
        if let (Some(created), Some(exited)) = (of(&workers.created), of(&workers.exited))
            && exited > created
        {
            return Err(format!(
                "workers.exited.{source} is {exited}, and workers.created.{source} is {created}"
            ));
        }
    }
    let Some(created) = workers.created.best() else { return Ok(()) };
    if let Some(born) = workers.born_measured.filter(|&born| born > created) {
        return Err(format!("workers.born_measured is {born}, and workers.created is {created}"));
    }
    if let Some(per_1000) = workers.created_per_1000_ops {
        let most = created as f64 * 1e3 / record.ops.done as f64;
        if per_1000 > most * (1.0 + RATE_TOLERANCE) {
            return Err(format!(
                "workers.created_per_1000_ops is {per_1000}, and workers.created, {created}, for \
                 ops.done, {}, makes {most} at most",
                record.ops.done
            ));
        }
    }
    if let (Some(per_1000), Some(born)) = (workers.created_per_1000_ops, workers.born_measured) {
        let made = born as f64 * 1e3 / record.ops.done as f64;
        if (made - per_1000).abs() > made.max(per_1000) * RATE_TOLERANCE {
            return Err(format!(
                "workers.created_per_1000_ops is {per_1000}, and workers.born_measured, {born}, for \
                 ops.done, {}, makes {made}",
                record.ops.done
            ));
        }
    }
    let alive = record.timeline.iter().map(|(_, alive)| *alive).max().unwrap_or(0);
    let Some(peak) = workers.peak else { return Ok(()) };
    if alive > peak || (created > 0 && peak == 0) {
        return Err(format!(
            "workers.peak is {peak}, and timeline has {alive} alive, workers.created {created}"
        ));
    }
    // A birth that was lost may still be seen alive.
    if record.probe.events_lost == 0 && u64::from(peak) > created {
        return Err(format!("workers.peak is {peak}, and workers.created is {created}"));
    }
    Ok(())
}

fn latency(record: &Record) -> Result<(), String> {
    let ended = record.ops.done.saturating_add(record.ops.failed);
    match record.latency.response.get("all") {
        Some(all) if all.count > ended => Err(format!(
            "latency.response.all.count is {}, and ops.done and ops.failed add up to {ended}",
            all.count
        )),
        Some(all) => quantiles(all).map_err(|problem| format!("latency.response.all.{problem}")),
        None => Ok(()),
    }
}

/// Figures that are not those of their histogram.
fn quantiles(all: &Quantiles) -> Result<(), String> {
    let Some(histogram) = all.histogram() else { return Ok(()) };
    let figures = [
        ("p50_ns", 0.5, all.p50_ns),
        ("p90_ns", 0.9, all.p90_ns),
        ("p99_ns", 0.99, all.p99_ns),
        ("p999_ns", 0.999, all.p999_ns),
    ];
    for (field, quantile, ns) in figures {
        let made = histogram.value_at_quantile(quantile);
        if made.abs_diff(ns) as f64 > made.max(ns) as f64 * RATE_TOLERANCE {
            return Err(format!("{field} is {ns}, and that of hdr_v2 is {made}"));
        }
    }
    Ok(())
}

fn sum<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, &count| sum.saturating_add(count))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn complaint(spoil: impl FnOnce(&mut Record)) -> String {
        let mut record = sample::run("nop", "6.12", 0);
        spoil(&mut record);
        check(&record).expect_err("the record was accepted")
    }

    #[test]
    fn a_run_as_it_is_written_does_not_contradict_itself() {
        assert_eq!(check(&sample::run("nop", "6.12", 0)), Ok(()));
    }

    #[test]
    fn figures_that_cannot_both_be_true_are_refused_with_both() {
        let lost = complaint(|run| _ = run.probe.lost.insert("ring buffer full".to_owned(), 7));
        assert_eq!(lost, "probe.events_lost is 0, and probe.lost adds up to 7");
        let failed = complaint(|run| _ = run.ops.failures.insert("ENOSPC".to_owned(), 3));
        assert_eq!(failed, "ops.failed is 0, and ops.failures adds up to 3");
        let rate = complaint(|run| run.ops.per_s = 0.0);
        assert!(rate.starts_with("ops.per_s is 0, and ops.done, "), "{rate}");
        let none = complaint(|run| {
            run.workers.created = Counts { probe: Some(0), ..Counts::default() };
            run.workers.exited = Counts::default();
            run.workers.born_measured = None;
            run.workers.created_per_1000_ops = Some(500.0);
        });
        assert!(none.starts_with("workers.created_per_1000_ops is 500, and"), "{none}");
        let exited = complaint(|run| {
            run.workers.created.engine = Some(1);
            run.workers.exited.engine = Some(2);
        });
        assert_eq!(exited, "workers.exited.engine is 2, and workers.created.engine is 1");
        let born = complaint(|run| run.workers.born_measured = Some(u64::MAX));
        assert!(born.starts_with("workers.born_measured is 18446744073709551615"), "{born}");
        assert!(complaint(|run| run.workers.peak = Some(u32::MAX)).starts_with("workers.peak is"));
        for change in [(|run| run.workers.peak = Some(0)) as fn(&mut Record), |run| {
            run.timeline.push((0, run.workers.peak.unwrap_or_default() + 1));
        }] {
            let peak = complaint(change);
            assert!(peak.starts_with("workers.peak is") && peak.contains("timeline has"), "{peak}");
        }
        let per_1000 = complaint(|run| run.workers.created_per_1000_ops = Some(0.0));
        assert!(per_1000.starts_with("workers.created_per_1000_ops is 0, and"), "{per_1000}");
        let quantile = complaint(|run| {
            let all = run.latency.response.get_mut("all").expect("all operations are there");
            all.p50_ns /= 2;
        });
        assert!(quantile.starts_with("latency.response.all.p50_ns is"), "{quantile}");
        let count = complaint(|run| {
            let all = run.latency.response.get_mut("all").expect("all operations are there");
            all.count = u64::MAX;
        });
        assert!(count.starts_with("latency.response.all.count is"), "{count}");
    }
}
