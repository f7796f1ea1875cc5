//! Churn against latency: a point per run, so that both and their spread are seen at once.

use iowq_contract::Record;
use plotters::style::text_anchor::{HPos, VPos};

use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::Series;
use crate::render::marker;
use crate::render::palette::{AXIS, Dash, INK, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::group::Section;
use crate::runs::metric::Metric;

/// Workers created per 1000 operations, and response time in nanoseconds.
pub(crate) type Point = (f64, f64);

/// Quantiles from the best for this chart to the one that every run has.
const QUANTILES: [Metric; 3] = [Metric::ResponseP99, Metric::ResponseP90, Metric::ResponseP50];

/// The points of a section, by policy.
#[derive(Clone, Debug)]
pub(crate) struct Points {
    /// The quantile that all runs have enough operations for.
    pub(crate) quantile: &'static str,
    /// A point per run.
    pub(crate) series: Vec<Series<Vec<Point>>>,
}

/// The points of all runs that have both figures; none if there is no such quantile.
pub(crate) fn points(section: &Section<'_>, place: impl Fn(&str) -> usize) -> Option<Points> {
    let runs = || section.groups.iter().flat_map(|group| &group.runs);
    let latency =
        QUANTILES.into_iter().find(|metric| runs().all(|record| metric.value(record).is_some()))?;
    let point = |record: &&Record| {
        let created = Metric::CreatedPer1000.value(record)?;
        Some((created, latency.value(record)?.max(1.0)))
    };
    let series: Vec<_> = section
        .groups
        .iter()
        .map(|group| Series {
            label: group.label.to_string(),
            place: place(&group.variant),
            data: group.runs.iter().filter_map(point).collect::<Vec<Point>>(),
        })
        .filter(|series| !series.data.is_empty())
        .collect();
    (!series.is_empty()).then_some(Points { quantile: latency.name(), series })
}

/// Draws the points; runs that created no worker stand on a line of their own, left of the axis.
pub(crate) fn draw(points: &Points) -> Result<String, ChartError> {
    let all = || points.series.iter().flat_map(|one| one.data.iter());
    let mut x = Axis::log(
        all().map(|point| point.0),
        format::number,
        "workers created per 1000 operations",
    );
    let label = format!("{} response time", points.quantile);
    let y = Axis::log(all().map(|point| point.1), format::duration, &label);
    let place = Place { left: 126, right: WIDTH - 60, top: 56, bottom: 500 };
    let zeros = all().any(|point| point.0 <= 0.0);
    let (first, span) = (x.range.start, x.range.end - x.range.start);
    let zero_at = first - span * 0.12;
    let margin = span * 0.04;
    x.range = if zeros { zero_at - margin..x.range.end } else { first - margin..x.range.end };
    let title = format!("Workers created against {label}, a point per run");
    picture(&title, 592, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        if zeros {
            let (at, _) = plot.pixel(zero_at, y.range.start);
            plot.text("none", (at, place.bottom + 12), HPos::Center, VPos::Top, INK)?;
            let gap = first - span * 0.06;
            plot.line(vec![(gap, y.range.start), (gap, y.range.end)], AXIS, 2)?;
        }
        for one in &points.series {
            for (created, ns) in &one.data {
                let across = if *created > 0.0 { created.log10() } else { zero_at };
                let at = plot.pixel(across, ns.log10());
                marker::draw(&plot, at, one.place, series(one.place, Dash::Whole))?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;

    fn points_of(records: Vec<Record>) -> Option<Points> {
        let loaded = Loaded { records, ..Loaded::default() };
        points(&analyse(&loaded).sections[0], |_| 0)
    }

    #[test]
    fn every_run_is_a_point() {
        let points = points_of(sample::bench(3)).expect("the sample has both figures");
        assert_eq!(points.quantile, "p99");
        assert_eq!(points.series.len(), 4);
        assert!(points.series.iter().all(|series| series.data.len() == 3));
    }

    #[test]
    fn short_runs_fall_back_to_a_quantile_that_all_of_them_have() {
        let mut records = sample::bench(2);
        for record in &mut records {
            if let Some(all) = record.latency.response.get_mut("all") {
                all.count = 2_000;
            }
        }
        assert_eq!(points_of(records.clone()).map(|points| points.quantile), Some("p90"));
        for record in &mut records {
            record.latency.response.clear();
        }
        assert!(points_of(records).is_none());
    }

    #[test]
    fn runs_without_a_birth_are_drawn_at_none() {
        let mut records = sample::bench(2);
        records[0].workers.created_per_1000_ops = Some(0.0);
        let points = points_of(records).expect("the sample has both figures");
        let svg = draw(&points).expect("it can be drawn");
        assert!(svg.contains("none\n</text>"), "{svg}");
    }
}
