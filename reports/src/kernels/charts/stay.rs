//! How long each worker stayed after the last ring was closed, a lane per kernel.

use plotters::style::text_anchor::{HPos, VPos};

use crate::format;
use crate::kernels::charts::kernel::Kernel;
use crate::render::axis::Axis;
use crate::render::marker;
use crate::render::palette::{Dash, INK, place, series};
use crate::render::plot::{CHAR_WIDTH, ChartError, Place, Plot, WIDTH, picture};

/// Height of one lane in units of the picture.
const LANE: i32 = 64;

/// Shortest stay that is told from none, in milliseconds: axes are logarithmic.
const STAY_MS_MIN: f64 = 0.1;

/// Marks of one lane at most.
const MARKS_MAX: usize = 200;

/// Draws a lane per kernel, if single workers were watched.
pub(crate) fn draw(kernels: &[Kernel<'_>]) -> Result<Option<String>, ChartError> {
    let mut lanes = Vec::new();
    for (at, kernel) in kernels.iter().enumerate() {
        let Some((_, run)) = kernel.typical()? else { continue };
        let watched_ms = run.settings.watched_ms.unwrap_or(0) as f64;
        if watched_ms > 0.0 && !run.workers.outlived_ms.is_empty() {
            lanes.push((at, kernel.label(), watched_ms, run.into_owned().workers.outlived_ms));
        }
    }
    let Some(watched_ms) = lanes.iter().map(|lane| lane.2).reduce(f64::max) else {
        return Ok(None);
    };
    let stay = |stay_ms: &Option<f64>, watched: f64| {
        stay_ms.map_or(watched, |stay_ms| stay_ms.max(STAY_MS_MIN))
    };
    let all = lanes.iter().flat_map(|lane| lane.3.iter().map(|one| stay(one, lane.2)));
    let show = |ms: f64| format::duration(ms * 1e6);
    let x = Axis::log(all.chain([watched_ms]), show, "after the last ring was closed");
    let y = Axis { range: 0.0..lanes.len() as f64, ticks: Vec::new(), label: String::new() };
    let chars = lanes.iter().map(|lane| lane.1.chars().count()).max().unwrap_or(1);
    let left = 30 + CHAR_WIDTH * i32::try_from(chars).unwrap_or(16);
    let bottom = 30 + LANE * i32::try_from(lanes.len()).unwrap_or(1);
    let place_of = Place { left, right: WIDTH - 90, top: 30, bottom };
    let svg = picture("How long each worker stayed, by kernel", bottom + 92, |area| {
        let plot = Plot::new(area, place_of, &x, &y)?;
        for (lane, (at, label, watched, stays)) in lanes.iter().enumerate() {
            let height = lanes.len() as f64 - lane as f64 - 0.5;
            let place = place(*at);
            let middle = plot.pixel(x.range.start, height).1;
            plot.text(label, (left - 14, middle), HPos::Right, VPos::Center, INK)?;
            for stay_ms in stays.iter().take(MARKS_MAX) {
                let pixel = plot.pixel(stay(stay_ms, *watched).log10(), height);
                marker::draw(&plot, pixel, place, series(place, Dash::Whole))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
