//! Run order of a comparison: the value of each run, the two of a pair joined.

use crate::compare::charts::{BASE, PAIRS_MAX, TEST};
use crate::compare::finding::Finding;
use crate::render::axis::Axis;
use crate::render::plot::ChartError;
use crate::render::run_order::{self, Dot, RunOrder};

/// Draws the values of one metric; pairs are joined if there are pairs.
pub(crate) fn draw(finding: &Finding, joined: bool) -> Result<String, ChartError> {
    let dots = dots(finding);
    let (low, high) = dots.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, dot| {
        (ends.0.min(dot.value), ends.1.max(dot.value))
    });
    let chart = RunOrder {
        title: &format!("{} of {} runs in order", finding.metric.name(), dots.len()),
        what: "run",
        first: 1.0,
        y: Axis::around(low, high, |value| finding.metric.show(value), ""),
        joined,
    };
    run_order::draw(&chart, &dots, |value| value)
}

/// The runs that are drawn, those of a pair behind each other.
fn dots(finding: &Finding) -> Vec<Dot> {
    let pairs = finding.points.iter().filter(|one| one.base.is_finite() && one.test.is_finite());
    let of_pairs = pairs
        .take(PAIRS_MAX)
        .flat_map(|one| [(one.base_position, one.base, BASE), (one.test_position, one.test, TEST)]);
    let alone = finding.alone.iter().zip([BASE, TEST]).flat_map(|(runs, side)| {
        let runs = runs.iter().filter(|one| one.value.is_finite()).take(PAIRS_MAX);
        runs.map(move |one| (one.position, one.value, side))
    });
    let all: Vec<(u32, f64, usize)> = of_pairs.chain(alone).collect();
    let rank = run_order::rank(all.iter().map(|one| one.0));
    let dot = |(position, value, place): &(u32, f64, usize)| Dot {
        order: rank(*position),
        value: *value,
        place: *place,
    };
    all.iter().map(dot).collect()
}
