//! Intervals of all metrics and workloads below each other, each with its threshold.

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use crate::compare::charts::effect;
use crate::compare::comparison::Comparison;
use crate::compare::finding::{Finding, Verdict};
use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::Figure;
use crate::render::marker;
use crate::render::palette::{AXIS, Dash, INK, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};
use crate::runs::metric::Scale;

/// Rows of one picture at most; the tables have them all.
const ROWS_MAX: usize = 120;

/// Height of a row in units of the picture.
const ROW: i32 = 42;

/// Characters of a workload's name with its test.
const NAME_CHARS_MAX: usize = 48;

/// Places of the signs: a diamond for primary metrics, a hollow circle for advisory ones.
const PRIMARY: usize = 3;
const ADVISORY: usize = 4;

/// Places of the colours of a change for the worse and for the better.
const WORSE: usize = 1;
const BETTER: usize = 2;

/// One row: the name of what follows, or a finding.
enum Row<'a> {
    Name(String),
    Finding { finding: &'a Finding, sign: usize },
}

/// A picture of ratios, and one of differences in thresholds, which have no unit in common.
pub(crate) fn figures(all: &[Comparison]) -> Result<Vec<Figure>, ChartError> {
    let captions = [
        (Scale::Ratio, "Changes of times and rates"),
        (Scale::Difference, "Differences, drawn in multiples of the threshold"),
    ];
    let mut figures = Vec::new();
    for (scale, caption) in captions {
        let mut rows = rows(all, scale);
        let left_out = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        if rows.is_empty() {
            continue;
        }
        let mut caption = caption.to_owned();
        if left_out > 0 {
            let more = format::count(left_out as u64, "more row is", "more rows are");
            caption.push_str(&format!("; {more} in the tables alone"));
        }
        figures.push(Figure { caption, mark: None, svg: draw(&rows, scale)? });
    }
    Ok(figures)
}

fn rows(all: &[Comparison], scale: Scale) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for comparison in all {
        let primary = comparison.primary.iter().map(|finding| (finding, PRIMARY));
        let advisory = comparison.advisory.iter().map(|finding| (finding, ADVISORY));
        let mut findings = primary
            .chain(advisory)
            .filter(|(one, _)| one.scale == scale && on_axis(one).is_some())
            .peekable();
        if findings.peek().is_some() {
            let name = format!("{}: {}", comparison.workload, comparison.test);
            rows.push(Row::Name(format::clip(&name, NAME_CHARS_MAX)));
        }
        rows.extend(findings.map(|(finding, sign)| Row::Finding { finding, sign }));
    }
    rows
}

/// What effects of a finding are divided by on the axis; none if nothing can be drawn.
fn on_axis(finding: &Finding) -> Option<f64> {
    finding.estimate?;
    match finding.scale {
        Scale::Ratio => Some(1.0),
        Scale::Difference => (finding.threshold > 0.0).then_some(finding.threshold),
    }
}

fn draw(rows: &[Row<'_>], scale: Scale) -> Result<String, ChartError> {
    let values = rows.iter().flat_map(|row| match row {
        Row::Name(_) => Vec::new(),
        Row::Finding { finding, .. } => {
            let unit = on_axis(finding).unwrap_or(1.0);
            let (low, high) = finding.interval_95().unwrap_or((0.0, 0.0));
            let all = [low, high, finding.estimate.unwrap_or(0.0)].map(|value| value / unit);
            all.into_iter().chain([-finding.threshold / unit, finding.threshold / unit]).collect()
        }
    });
    let label = match scale {
        Scale::Ratio => "change from base to test",
        Scale::Difference => "difference in thresholds",
    };
    let x = effect::axis(scale, values, label);
    let height = i32::try_from(rows.len()).unwrap_or(0) * ROW;
    let place = Place { left: 304, right: WIDTH - 136, top: 12, bottom: 12 + height };
    let y = Axis { range: 0.0..rows.len() as f64, ticks: Vec::new(), label: String::new() };
    let title = format!("Intervals of {} rows, {label}", rows.len());
    picture(&title, height + 102, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        plot.line(vec![(0.0, 0.0), (0.0, rows.len() as f64)], AXIS, 2)?;
        for (at, row) in rows.iter().enumerate() {
            let middle = rows.len() as f64 - at as f64 - 0.5;
            let down = plot.pixel(0.0, middle).1;
            match row {
                Row::Name(name) => {
                    plot.text(name, (4, down), HPos::Left, VPos::Center, INK)?;
                }
                Row::Finding { finding, sign } => {
                    let title = finding.metric.name();
                    plot.text(title, (28, down), HPos::Left, VPos::Center, INK)?;
                    draw_row(&plot, finding, *sign, middle)?;
                    let value = finding.estimate.map(|value| finding.metric.show_effect(value));
                    let at = (WIDTH - 4, down);
                    let value = value.unwrap_or_default();
                    plot.text(&value, at, HPos::Right, VPos::Center, colour(finding))?;
                }
            }
        }
        Ok(())
    })
}

fn colour(finding: &Finding) -> RGBColor {
    match finding.verdict {
        Some(Verdict::Regression) => series(WORSE, Dash::Whole),
        Some(Verdict::Improvement) => series(BETTER, Dash::Whole),
        Some(Verdict::Equivalent | Verdict::Inconclusive) | None => INK,
    }
}

fn draw_row(
    plot: &Plot<'_, '_>,
    finding: &Finding,
    sign: usize,
    middle: f64,
) -> Result<(), ChartError> {
    let unit = on_axis(finding).unwrap_or(1.0);
    let threshold = finding.threshold / unit;
    let (low, high) = (middle - 0.36, middle + 0.36);
    let corners = [(-threshold, low), (-threshold, high), (threshold, high), (threshold, low)];
    plot.fill(corners.to_vec(), AXIS, 0.22)?;
    let colour = colour(finding);
    if let Some((low, high)) = finding.interval_95() {
        plot.line(vec![(low / unit, middle), (high / unit, middle)], colour, 5)?;
    }
    let estimate = finding.estimate.unwrap_or(0.0) / unit;
    marker::draw(plot, plot.pixel(estimate, middle), sign, colour)
}
