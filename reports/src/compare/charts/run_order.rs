//! Run order of a comparison: the value of each run, the two of a pair joined.

use crate::compare::charts::sides::{BASE, PAIRS_MAX, TEST};
use crate::compare::finding::Finding;
use crate::render::axis::Axis;
use crate::render::marker;
use crate::render::palette::{AXIS, Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};

/// Draws the values of one metric; pairs are joined where there are pairs.
pub(crate) fn draw(finding: &Finding, paired: bool) -> Result<String, ChartError> {
    let dots = dots(finding);
    let mut positions: Vec<u32> = dots.iter().map(|dot| dot.position).collect();
    positions.sort_unstable();
    positions.dedup();
    // Other workloads ran in between: places are numbered without gaps.
    let rank = |position: u32| positions.partition_point(|one| *one < position) as f64 + 1.0;
    let last = positions.len().max(1) as f64;
    let mut x = Axis::from_zero(last, "run, in the order in which they were made");
    x.ticks.retain(|tick| tick.0 >= 1.0 && tick.0 <= last && tick.0.fract() == 0.0);
    x.range = 0.5..last + 0.5;
    let values = dots.iter().map(|dot| dot.value);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| {
        (ends.0.min(value), ends.1.max(value))
    });
    let y = Axis::around(low, high, |value| finding.metric.show(value), "");
    let place = Place { left: 140, right: WIDTH - 40, top: 20, bottom: 400 };
    let title = format!("{} of {} runs in order", finding.metric.name(), positions.len());
    picture(&title, 492, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        let at = |dot: &Dot| (rank(dot.position), dot.value);
        for two in dots.chunks_exact(2).filter(|_| paired) {
            plot.line(two.iter().map(at).collect(), AXIS, 2)?;
        }
        for dot in &dots {
            let (x, y) = at(dot);
            marker::draw(&plot, plot.pixel(x, y), dot.side, series(dot.side, Dash::Whole))?;
        }
        Ok(())
    })
}

/// One run.
struct Dot {
    position: u32,
    value: f64,
    side: usize,
}

/// The runs that are drawn, those of a pair behind each other.
fn dots(finding: &Finding) -> Vec<Dot> {
    let pairs = finding.points.iter().filter(|one| one.base.is_finite() && one.test.is_finite());
    let of_pairs = pairs.take(PAIRS_MAX).flat_map(|one| {
        let base = Dot { position: one.base_position, value: one.base, side: BASE };
        [base, Dot { position: one.test_position, value: one.test, side: TEST }]
    });
    let alone = finding.alone.iter().zip([BASE, TEST]).flat_map(|(runs, side)| {
        let runs = runs.iter().filter(|one| one.value.is_finite()).take(PAIRS_MAX);
        runs.map(move |one| Dot { position: one.position, value: one.value, side })
    });
    of_pairs.chain(alone).collect()
}
