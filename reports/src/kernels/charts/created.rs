//! Workers created per 1000 operations in each boot, in the order of boots.

use crate::format;
use crate::kernels::charts::kernel::Kernel;
use crate::render::axis::Axis;
use crate::render::palette::place;
use crate::render::plot::ChartError;
use crate::render::run_order::{self, Dot, RunOrder};
use crate::runs::metric::Metric;

/// Values further apart than this need a logarithmic axis.
const LINEAR_FACTOR_MAX: f64 = 10.0;

/// Draws a mark per boot, if there are any.
pub(crate) fn draw(kernels: &[Kernel<'_>]) -> Result<Option<String>, ChartError> {
    let mut dots: Vec<Dot> = Vec::new();
    for (at, kernel) in kernels.iter().enumerate() {
        dots.extend(kernel.boots.iter().filter_map(|unit| {
            let value = unit.value(Metric::CreatedPer1000).ok()?;
            Some(Dot { order: f64::from(unit.position()), value, place: place(at) })
        }));
    }
    if dots.is_empty() {
        return Ok(None);
    }
    let values = || dots.iter().map(|dot| dot.value);
    let most = values().fold(0.0, f64::max);
    let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let logarithmic = least.is_finite() && most / least > LINEAR_FACTOR_MAX;
    let label = Metric::CreatedPer1000.row().label;
    let y = if logarithmic {
        Axis::log(values(), format::number, label)
    } else {
        Axis::from_zero(most, label)
    };
    let lowest = y.range.start;
    let at = |value: f64| match (logarithmic, value > 0.0) {
        (false, _) => value,
        (true, true) => value.log10(),
        (true, false) => lowest,
    };
    let title = "Workers created per 1000 operations, by boot";
    let chart = RunOrder { title, what: "boot", first: 0.0, y, joined: false };
    run_order::draw(&chart, &dots, at).map(Some)
}
