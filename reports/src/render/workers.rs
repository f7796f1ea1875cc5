//! Workers over time: how many are alive, and below it births and deaths.

use iowq_contract::Record;
use plotters::style::text_anchor::{HPos, VPos};

use crate::format;
use crate::render::axis::{self, Axis};
use crate::render::chart::{ChartSet, Figure, Series, set_without_legend};
use crate::render::marker;
use crate::render::palette::{self, Dash, INK, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::thin;

/// Slices of births and deaths that are drawn.
const SLICES_MAX: usize = 120;

/// The life of the workers of one run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Life {
    /// Nanoseconds and workers alive, as corners of a step line.
    alive: Vec<(f64, f64)>,
    /// Start of each slice in nanoseconds, births per second, deaths per second.
    slices: Vec<(f64, f64, f64)>,
    slice_ns: f64,
    end_ns: f64,
    peak: f64,
}

/// What is drawn of a run, with at most about `points_max` points and all peaks.
pub(crate) fn life(record: &Record, points_max: usize) -> Life {
    let mut points = record.timeline.clone();
    thin::timeline(&mut points, points_max);
    let mut churn = record.churn.clone();
    thin::churn(&mut churn, SLICES_MAX);
    let slice_ns = churn.slice_ns.max(1) as f64;
    let per_s = |count: u32| f64::from(count) * 1e9 / slice_ns;
    let counts = churn.births.iter().zip(&churn.deaths).enumerate();
    let slices: Vec<_> = counts
        .map(|(at, (births, deaths))| (at as f64 * slice_ns, per_s(*births), per_s(*deaths)))
        .collect();
    let last_point = points.last().map_or(0.0, |point| point.0 as f64);
    let end_ns = last_point.max(record.duration_ns as f64).max(slices.len() as f64 * slice_ns);
    let peak = points.iter().map(|point| f64::from(point.1)).fold(0.0, f64::max);
    Life { alive: corners(&points, end_ns), slices, slice_ns, end_ns, peak }
}

/// A count holds until the next one: each point gives a level and a jump.
fn corners(points: &[(u64, u32)], end_ns: f64) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(points.len() * 2 + 1);
    let mut level = None;
    for (ns, alive) in points {
        let (ns, alive) = (*ns as f64, f64::from(*alive));
        if let Some(level) = level {
            corners.push((ns, level));
        }
        corners.push((ns, alive));
        level = Some(alive);
    }
    corners.extend(level.map(|level| (end_ns, level)));
    corners
}

/// Axes that hold the lives of all policies, so that pictures can be compared by eye.
struct Axes {
    time: Axis,
    alive: Axis,
    per_s: Axis,
}

/// Charts of lives on equal scales, each with its caption; `among` says over whom, and which of
/// several runs is drawn.
pub(crate) fn set(
    lives: &[Series<(String, Life)>],
    among: &str,
) -> Result<Option<ChartSet>, ChartError> {
    let axes = axes(&lives.iter().map(|one| &one.data.1).collect::<Vec<_>>());
    let mut figures = Vec::new();
    for Series { label, place, data: (caption, life) } in lives {
        let mark = Some((place % palette::COLOURS, marker::sign(*place)));
        let svg = draw(life, &axes, label, *place)?;
        figures.push(Figure { caption: caption.clone(), mark, svg });
    }
    let how = format!(
        "The upper line is how many workers live at each moment; bars above the lower line are \
         workers born per second, bars below it workers gone. Equal scales for all {among} is drawn."
    );
    Ok(set_without_legend("Workers over time", &how, figures))
}

/// The axes for these lives.
fn axes(lives: &[&Life]) -> Axes {
    let most = |value: fn(&Life) -> f64| lives.iter().map(|one| value(one)).fold(0.0, f64::max);
    let busiest = |life: &Life| life.slices.iter().map(|one| one.1.max(one.2)).fold(0.0, f64::max);
    let half = Axis::from_zero(most(busiest), "");
    let top = half.range.end;
    let ticks = [(-top, format::number(top)), (0.0, "0".to_owned()), (top, format::number(top))];
    Axes {
        time: axis::seconds(most(|life| life.end_ns)),
        alive: Axis::from_zero(most(|life| life.peak), "workers alive"),
        per_s: Axis {
            range: -top..top,
            ticks: ticks.into(),
            label: "per second: births above the line, deaths below".to_owned(),
        },
    }
}

/// Draws the workers of one run in the colour of its policy.
fn draw(life: &Life, axes: &Axes, policy: &str, place: usize) -> Result<String, ChartError> {
    let colour = series(place, Dash::Whole);
    let above = Place { left: 106, right: WIDTH - 60, top: 52, bottom: 330 };
    let below = Place { top: 412, bottom: 572, ..above };
    let label = format!(
        "Workers alive over time under {policy}: at most {} at once",
        format::number(life.peak)
    );
    picture(&label, 622, |area| {
        let quiet = Axis { ticks: Vec::new(), ..axes.time.clone() };
        let plot = Plot::new(area, above, &quiet, &axes.alive)?;
        let mut ground = life.alive.clone();
        ground.extend(life.alive.last().map(|last| (last.0, 0.0)));
        ground.extend(life.alive.first().map(|first| (first.0, 0.0)));
        plot.fill(ground, colour, 0.18)?;
        plot.line(life.alive.clone(), colour, 3)?;
        let note = format!("peak {}", format::number(life.peak));
        plot.text(&note, (above.right, above.top - 20), HPos::Right, VPos::Bottom, INK)?;
        let plot = Plot::new(area, below, &axes.time, &axes.per_s)?;
        plot.fill(bars(life, |slice| slice.1), colour, 0.85)?;
        plot.fill(bars(life, |slice| -slice.2), colour, 0.45)
    })
}

/// The outline of bars that stand side by side on the line of zero.
fn bars(life: &Life, height: impl Fn(&(f64, f64, f64)) -> f64) -> Vec<(f64, f64)> {
    let mut outline = vec![(0.0, 0.0)];
    for slice in &life.slices {
        outline.push((slice.0, height(slice)));
        outline.push((slice.0 + life.slice_ns, height(slice)));
    }
    outline.push((life.slices.len() as f64 * life.slice_ns, 0.0));
    outline
}

#[cfg(test)]
mod tests {
    use iowq_contract::Churn;
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn a_count_holds_until_the_next_one() {
        let mut record = sample::run("nop", "6.12", 0);
        record.timeline = vec![(0, 0), (10, 3), (20, 1)];
        record.churn = Churn { slice_ns: 20, births: vec![3], deaths: vec![2] };
        record.duration_ns = 40;
        let life = life(&record, 100);
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 3.0), (20.0, 3.0), (20.0, 1.0), (40.0, 1.0)];
        assert_eq!(life.alive, corners);
        assert_eq!(life.slices, [(0.0, 150_000_000.0, 100_000_000.0)]);
        assert_eq!(life.peak, 3.0);
    }

    #[test]
    fn ten_thousand_points_are_bounded_and_the_peak_stays() {
        let mut record = sample::long_run("6.12", 10_000);
        record.timeline[7_777].1 = 99;
        let life = life(&record, 400);
        assert!(life.alive.len() <= 801, "{} corners", life.alive.len());
        assert_eq!(life.peak, 99.0);
        assert!(life.slices.len() <= SLICES_MAX);
    }

    #[test]
    fn a_run_without_workers_can_be_drawn() {
        let mut record = sample::run("nop", "6.12", 0);
        record.timeline.clear();
        record.churn = Churn::default();
        record.duration_ns = 0;
        let life = life(&record, 100);
        assert!(draw(&life, &axes(&[&life]), "6.12", 0).is_ok());
        assert!(draw(&life, &axes(&[]), "6.12", 0).is_ok());
    }
}
