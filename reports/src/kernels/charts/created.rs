//! Workers created per 1000 operations in each boot, in the order of boots.

use crate::format;
use crate::kernels::charts::kernel::{Kernel, place};
use crate::render::axis::Axis;
use crate::render::marker;
use crate::render::palette::{Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::metric::Metric;

/// Values further apart than this need a logarithmic axis.
const LINEAR_FACTOR_MAX: f64 = 10.0;

/// Draws a mark per boot, where there are any.
pub(crate) fn draw(kernels: &[Kernel<'_>]) -> Result<Option<String>, ChartError> {
    let mut points: Vec<(usize, f64, f64)> = Vec::new();
    for (at, kernel) in kernels.iter().enumerate() {
        let value = |unit: &crate::runs::unit::Unit<'_>| unit.value(Metric::CreatedPer1000).ok();
        let of_boot = kernel
            .boots
            .iter()
            .filter_map(|unit| Some((at, f64::from(unit.position()), value(unit)?)));
        points.extend(of_boot);
    }
    if points.is_empty() {
        return Ok(None);
    }
    let values = || points.iter().map(|point| point.2);
    let most = values().fold(0.0, f64::max);
    let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let logarithmic = least.is_finite() && most / least > LINEAR_FACTOR_MAX;
    let y = if logarithmic {
        Axis::log(values(), format::number, "created per 1000 ops")
    } else {
        Axis::from_zero(most, "created per 1000 ops")
    };
    let height = |value: f64| match (logarithmic, value > 0.0) {
        (false, _) => value,
        (true, true) => value.log10(),
        (true, false) => y.range.start,
    };
    let last = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let mut x = Axis::from_zero(last, "boot, in the order in which they were made");
    x.ticks.retain(|tick| tick.0 <= last && tick.0.fract() == 0.0);
    x.range = -0.5..last + 0.5;
    let place_of = Place { left: 126, right: WIDTH - 60, top: 56, bottom: 500 };
    let svg = picture("Workers created per 1000 operations, by boot", 592, |area| {
        let plot = Plot::new(area, place_of, &x, &y)?;
        for (at, boot, value) in &points {
            let place = place(*at);
            let pixel = plot.pixel(*boot, height(*value));
            marker::draw(&plot, pixel, place, series(place, Dash::Whole))?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
