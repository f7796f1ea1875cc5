//! Run order of a bench: throughput of each run.

use crate::format;
use crate::render::axis::Axis;
use crate::render::plot::ChartError;
use crate::render::run_order::{self, Dot, RunOrder};
use crate::runs::group::Section;
use crate::runs::metric::Metric;

/// A dot per finished run.
pub(crate) fn dots(section: &Section<'_>, place: impl Fn(&str) -> usize) -> Vec<Dot> {
    let rank = run_order::rank(section.records().map(|record| record.key.position));
    let mut dots = Vec::new();
    for group in &section.groups {
        for run in &group.runs {
            let order = rank(run.key.position);
            let value = Metric::OpsPerS.value(run).unwrap_or_default();
            dots.push(Dot { order, value, place: place(&group.variant) });
        }
    }
    dots
}

/// Draws the dots.
pub(crate) fn draw(dots: &[Dot]) -> Result<String, ChartError> {
    let last = dots.iter().map(|dot| dot.order).fold(1.0, f64::max);
    let most = dots.iter().map(|dot| dot.value).fold(0.0, f64::max);
    let chart = RunOrder {
        title: &format!("Operations per second of {} runs in order", format::number(last)),
        what: "run",
        first: 1.0,
        y: Axis::from_zero(most, "operations per second"),
        joined: false,
    };
    run_order::draw(&chart, dots, |value| value)
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;

    #[test]
    fn positions_of_one_workload_are_numbered_without_gaps() {
        let loaded = Loaded { records: sample::bench(2), ..Loaded::default() };
        let dots = dots(&analyse(&loaded).sections[1], |_| 0);
        let order: Vec<f64> = dots.iter().take(2).map(|dot| dot.order).collect();
        assert_eq!(order, [1.0, 5.0]);
        assert!(draw(&dots).is_ok());
        assert!(draw(&[]).is_ok());
    }
}
