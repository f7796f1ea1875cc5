//! Run order: values in the order in which runs or boots were made, to show drift.

use crate::render::axis::Axis;
use crate::render::marker;
use crate::render::palette::{AXIS, Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};

/// One run or boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dot {
    /// Its place in the order.
    pub(crate) order: f64,
    /// Its value.
    pub(crate) value: f64,
    /// Place of its colour and sign.
    pub(crate) place: usize,
}

/// What is drawn.
#[derive(Debug)]
pub(crate) struct RunOrder<'a> {
    /// For those who cannot see it.
    pub(crate) title: &'a str,
    /// What is in order, such as `run`.
    pub(crate) what: &'a str,
    /// The first place.
    pub(crate) first: f64,
    /// The axis of values.
    pub(crate) y: Axis,
    /// Whether each two dots are joined.
    pub(crate) joined: bool,
}

/// The place of a position among `all`, from 1 and without gaps: other workloads ran in between.
pub(crate) fn rank(all: impl Iterator<Item = u32>) -> impl Fn(u32) -> f64 {
    let mut positions: Vec<u32> = all.collect();
    positions.sort_unstable();
    positions.dedup();
    move |position| positions.partition_point(|one| *one < position) as f64 + 1.0
}

/// Draws the dots; `at` says where on the axis a value is.
pub(crate) fn draw(
    chart: &RunOrder<'_>,
    dots: &[Dot],
    at: impl Fn(f64) -> f64,
) -> Result<String, ChartError> {
    let last = dots.iter().map(|dot| dot.order).fold(1.0, f64::max);
    let mut x =
        Axis::from_zero(last, &format!("{}, in the order in which they were made", chart.what));
    let is_place = |tick: f64| (chart.first..=last).contains(&tick) && tick.fract() == 0.0;
    x.ticks.retain(|tick| is_place(tick.0));
    x.range = chart.first - 0.5..last + 0.5;
    let top = if chart.y.label.is_empty() { 20 } else { 56 };
    let place = Place { left: 140, right: WIDTH - 50, top, bottom: top + 400 };
    picture(chart.title, place.bottom + 92, |area| {
        let plot = Plot::new(area, place, &x, &chart.y)?;
        for two in dots.chunks_exact(2).filter(|_| chart.joined) {
            plot.line(two.iter().map(|dot| (dot.order, at(dot.value))).collect(), AXIS, 2)?;
        }
        for dot in dots {
            let pixel = plot.pixel(dot.order, at(dot.value));
            marker::draw(&plot, pixel, dot.place, series(dot.place, Dash::Whole))?;
        }
        Ok(())
    })
}
