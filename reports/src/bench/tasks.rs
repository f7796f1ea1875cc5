//! What each task of a workload did: medians of runs, for the page and for the summary.

use iowq_contract::{Quantiles, TaskResult};

use crate::format;
use crate::runs::figures::Spread;
use crate::runs::group::{Group, Section};
use crate::runs::sample_size::{self, P50_PPB, P99_PPB};

/// One task under one variant.
pub(crate) struct TaskFigures<'a> {
    /// Its name, and how many there are of it: `readers ×4`.
    pub(crate) task: String,
    pub(crate) group: &'a Group<'a>,
    /// Ops per second of all tasks of that name.
    pub(crate) ops_per_s: Option<Spread>,
    pub(crate) p50_ns: Option<Spread>,
    pub(crate) p99_ns: Option<Spread>,
}

/// A row per task and variant, tasks in the order of the workload; none if it has no tasks.
pub(crate) fn figures<'a>(section: &'a Section<'a>) -> Vec<TaskFigures<'a>> {
    let runs = section.groups.iter().flat_map(|group| &group.runs);
    let names = format::distinct(runs.flat_map(|run| &run.tasks).map(|task| task.name.as_str()));
    let of_task = |name| section.groups.iter().filter_map(move |group| of_group(name, group));
    names.into_iter().flat_map(of_task).collect()
}

fn of_group<'a>(name: &str, group: &'a Group<'a>) -> Option<TaskFigures<'a>> {
    let own = |task: &&TaskResult| task.name == name;
    let results: Vec<&TaskResult> =
        group.runs.iter().filter_map(|run| run.tasks.iter().find(own)).collect();
    let count = results.first()?.count;
    let rates = results.iter().filter(|task| task.duration_ns > 0);
    let rates = rates.map(|task| task.done as f64 * 1e9 / task.duration_ns as f64);
    let quantile = |ppb: u64, read: fn(&Quantiles) -> u64| {
        let known = results.iter().filter_map(|task| task.latency.response.get("all"));
        let known = known.filter(|all| sample_size::is_sure(all.count, ppb));
        Spread::of(known.map(|all| read(all) as f64).collect())
    };
    Some(TaskFigures {
        task: if count > 1 { format!("{name} ×{count}") } else { name.to_owned() },
        group,
        ops_per_s: Spread::of(rates.collect()),
        p50_ns: quantile(P50_PPB, |all| all.p50_ns),
        p99_ns: quantile(P99_PPB, |all| all.p99_ns),
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    #[test]
    fn a_task_has_a_row_per_variant_with_its_own_rate_and_times() {
        let mut records: Vec<Record> =
            (0..3).map(|round| sample::run("database", "6.17", round)).collect();
        records.push(sample::run("database", "fixed", 0));
        for record in &mut records {
            let task = |name: &str, count, done| TaskResult {
                duration_ns: 2_000_000_000,
                name: name.to_owned(),
                count,
                done,
                latency: record.latency.clone(),
                ..TaskResult::default()
            };
            record.tasks = vec![task("log", 1, 1000), task("readers", 4, 6000)];
        }
        let sections = group::sections(&records);
        let rows = figures(&sections[0]);
        let shown: Vec<(String, f64)> = rows
            .iter()
            .map(|row| (row.task.clone(), row.ops_per_s.map_or(0.0, |spread| spread.median)))
            .collect();
        let expected =
            [("log", 500.0), ("log", 500.0), ("readers ×4", 3000.0), ("readers ×4", 3000.0)];
        assert_eq!(shown, expected.map(|(task, rate)| (task.to_owned(), rate)));
        assert!(rows[0].p50_ns.is_some());
    }

    #[test]
    fn a_workload_of_one_stream_has_none() {
        let records = [sample::run("nop", "6.17", 0)];
        assert!(figures(&group::sections(&records)[0]).is_empty());
    }
}
