//! The table of workers by workload and kernel: created per 1000 ops, peak, and who stayed.

use serde::Serialize;

use crate::compare::pairs;
use crate::compare::set::Set;
use crate::format;
use crate::runs::figures::Spread;
use crate::runs::linger;
use crate::runs::metric::Metric;
use crate::runs::unit::Unit;

/// One kernel on one workload, over its boots.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the workload.
    pub workload: String,
    /// Label of the kernel.
    pub kernel: String,
    /// Boots with a finished run.
    pub boots: usize,
    /// Workers created per 1000 ops; none if workers were not counted.
    pub created: Option<Spread>,
    /// Most workers alive.
    pub peak: Option<Spread>,
    /// How long the last worker outlived the last ring, of the boots in which it was seen to leave.
    pub linger_ms: Option<Spread>,
    /// Boots in which it was still there at the end of the watch.
    pub stayed: usize,
}

/// A row for each workload and kernel, by workload.
pub fn rows(sets: &[Set<'_>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for workload in workloads(sets) {
        rows.extend(sets.iter().map(|set| row(workload, set)));
    }
    rows
}

/// The workloads of all sets, those of the base first.
pub fn workloads<'a>(sets: &[Set<'a>]) -> Vec<&'a str> {
    format::distinct(sets.iter().flat_map(Set::workloads))
}

fn row(workload: &str, set: &Set<'_>) -> Row {
    let units = pairs::units_of(set, workload);
    let spread =
        |metric| Spread::of(units.iter().filter_map(|one| one.value(metric).ok()).collect());
    let stayed = |unit: &&Unit<'_>| unit.runs.iter().any(|run| linger::stayed(run));
    let left = units.iter().filter(|unit| !stayed(unit));
    Row {
        workload: workload.to_owned(),
        kernel: set.name.clone(),
        boots: units.len(),
        created: spread(Metric::CreatedPer1000),
        peak: spread(Metric::Peak),
        linger_ms: Spread::of(left.filter_map(|one| one.value(Metric::Linger).ok()).collect()),
        stayed: units.iter().filter(stayed).count(),
    }
}

impl Row {
    /// `92.9 (79.9-105)`: median, least and most.
    pub fn created_text(&self) -> String {
        spread_text(self.created, format::number)
    }

    /// `61 (60-65)`, or `8` where all boots had that.
    pub fn peak_text(&self) -> String {
        spread_text(self.peak, format::number)
    }

    /// `stayed`, `20 ms`, or how many boots did one and how long the others took.
    pub fn linger_text(&self) -> String {
        let left = self.linger_ms.map(|left| format::duration(left.median * 1e6));
        match (self.stayed, left) {
            (0, None) => "n/a".to_owned(),
            (0, Some(left)) => left,
            (_, None) => "stayed".to_owned(),
            (stayed, Some(left)) => format!("stayed in {stayed}, else {left}"),
        }
    }
}

fn spread_text(spread: Option<Spread>, show: fn(f64) -> String) -> String {
    match spread {
        None => "n/a".to_owned(),
        Some(Spread { median, least, most, .. }) if least == most => show(median),
        Some(Spread { median, least, most, .. }) => {
            format!("{} ({}-{})", show(median), show(least), show(most))
        }
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use super::*;
    use crate::load::Loaded;

    #[test]
    fn a_row_is_over_boots_and_says_who_stayed() {
        let (_, _, records) = sample::kernels(3);
        let loaded = Loaded { records, ..Loaded::default() };
        let of = |label: &str| {
            let kernel = |run: &&Record| {
                run.key.boot.as_ref().is_some_and(|boot| boot.kernel == label)
                    && run.key.engine == "uring"
            };
            let runs = loaded.records.iter().filter(kernel).collect();
            Set::new(label.to_owned(), 0, &loaded, runs)
        };
        let rows = rows(&[of("base"), of("X")]);
        let paced: Vec<&Row> = rows.iter().filter(|row| row.workload == "paced").collect();
        assert_eq!((paced[0].boots, paced[0].peak_text()), (3, "64".to_owned()));
        assert!(paced[0].created_text().contains('('));
        assert_eq!((paced[0].linger_text(), paced[0].stayed), ("stayed".to_owned(), 3));
        assert_eq!(paced[1].stayed, 0);
        assert!(paced[1].linger_text().ends_with("ms"), "{}", paced[1].linger_text());
    }
}
