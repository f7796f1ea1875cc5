//! A strip: the effect of each pair, with estimate, interval and threshold, over that of noise.

use plotters::style::text_anchor::{HPos, VPos};

use crate::compare::charts::effect;
use crate::compare::charts::{PAIRS_MAX, TEST};
use crate::compare::finding::Finding;
use crate::render::axis::Axis;
use crate::render::marker;
use crate::render::palette::{AXIS, Dash, INK, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};

/// Place of noise among the colours: the grey one.
const NOISE: usize = 6;

/// Place of the diamond among the signs.
const DIAMOND: usize = 3;

/// Height of one lane in units of the picture.
const LANE: i32 = 190;

/// What is drawn of one finding.
struct Lane<'a> {
    name: &'a str,
    finding: &'a Finding,
    effects: Vec<f64>,
    place: usize,
}

impl<'a> Lane<'a> {
    /// The lane, if there is anything to draw.
    fn of(name: &'a str, finding: &'a Finding, place: usize, paired: bool) -> Option<Self> {
        let mut effects = if paired { finding.effects() } else { Vec::new() };
        effects.retain(|effect| effect.is_finite());
        let drawn = finding.estimate.is_some() || !effects.is_empty();
        drawn.then_some(Self { name, finding, effects, place })
    }
}

/// Draws the strip, if there is anything to draw.
pub(crate) fn draw(
    finding: &Finding,
    noise: Option<&Finding>,
    paired: bool,
) -> Result<Option<String>, ChartError> {
    let change = Lane::of("change", finding, TEST, paired);
    let noise = noise.and_then(|noise| Lane::of("noise", noise, NOISE, paired));
    let lanes: Vec<Lane<'_>> = change.into_iter().chain(noise).collect();
    if lanes.is_empty() {
        return Ok(None);
    }
    let ends = lanes.iter().flat_map(|lane| {
        let (low, high) = lane.finding.interval_95().unwrap_or((0.0, 0.0));
        lane.effects.iter().copied().chain([low, high, lane.finding.estimate.unwrap_or(0.0)])
    });
    let threshold = finding.threshold;
    let x = effect::axis(finding.scale, ends.chain([-threshold, threshold]), "change");
    let y = Axis { range: 0.0..lanes.len() as f64, ticks: Vec::new(), label: String::new() };
    let height = i32::try_from(lanes.len()).unwrap_or(1) * LANE;
    let place = Place { left: 124, right: WIDTH - 60, top: 16, bottom: 16 + height };
    let title = format!("Change of {} pair by pair", finding.metric.name());
    let svg = picture(&title, height + 110, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        let top = lanes.len() as f64;
        let box_of = |from: f64, to: f64| vec![(from, 0.0), (from, top), (to, top), (to, 0.0)];
        let (low, high) = (x.range.start.max(-threshold), x.range.end.min(threshold));
        plot.fill(box_of(low, high), AXIS, 0.22)?;
        plot.line(vec![(0.0, 0.0), (0.0, top)], AXIS, 2)?;
        for (at, lane) in lanes.iter().enumerate() {
            draw_lane(&plot, lane, top - at as f64)?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

/// Draws one lane whose upper edge is at `top`: pairs first, the estimate below them.
fn draw_lane(plot: &Plot<'_, '_>, lane: &Lane<'_>, top: f64) -> Result<(), ChartError> {
    let middle = plot.pixel(0.0, top - 0.5).1;
    plot.text(lane.name, (4, middle), HPos::Left, VPos::Center, INK)?;
    let drawn = lane.effects.len().min(PAIRS_MAX);
    for (at, effect) in lane.effects.iter().take(drawn).enumerate() {
        let down = 0.1 + 0.5 * (at as f64 + 0.5) / drawn as f64;
        marker::draw(plot, plot.pixel(*effect, top - down), 0, series(lane.place, Dash::Whole))?;
    }
    let height = top - 0.8;
    if let Some((low, high)) = lane.finding.interval_95() {
        plot.line(vec![(low, height), (high, height)], INK, 5)?;
    }
    match lane.finding.estimate {
        Some(estimate) => marker::draw(plot, plot.pixel(estimate, height), DIAMOND, INK),
        None => Ok(()),
    }
}
