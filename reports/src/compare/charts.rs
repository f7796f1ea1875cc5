//! Charts of a comparison: pairs, intervals, shift by quantile and run order.

mod effect;
mod forest;
mod run_order;
mod shift;
mod strip;

use crate::compare::charts::shift::Shift;
use crate::compare::comparison::{Comparison, Comparisons};
use crate::compare::finding::Finding;
use crate::compare::set::Set;
use crate::render::chart::{ChartSet, Figure, set, set_without_legend};
use crate::render::plot::ChartError;

/// Pairs that one chart draws at most: more would hide each other, and make the page too large.
pub(crate) const PAIRS_MAX: usize = 200;

/// Places of base and test among the colours and signs.
pub(crate) const BASE: usize = 0;

/// Place of the test.
pub(crate) const TEST: usize = 1;

/// Draws the intervals of all comparisons beside each other.
pub(crate) fn overview(all: &Comparisons) -> Result<Option<ChartSet>, ChartError> {
    let figures = forest::figures(&all.all)?;
    let how = "Each row is a metric: the mark is the estimated change from base to test, the line \
               its 95\u{a0}% interval, the grey box the threshold. A line that excludes no change with its mark outside the box is a change that matters, a line inside the box is equivalence. Full marks are primary metrics, hollow ones advisory; more is better \
               for ops/s alone.";
    Ok(set_without_legend("All metrics", how, figures))
}

/// Draws the charts of one comparison; of a set that is not there no histogram is drawn.
pub(crate) fn sets(
    comparison: &Comparison,
    base: Option<&Set<'_>>,
    test: Option<&Set<'_>>,
) -> Result<Vec<ChartSet>, ChartError> {
    let shift = base.zip(test).map(|(base, test)| shift::shift(comparison, base, test));
    let shift = shift.transpose()?.flatten().map(|shift| shift_set(&shift)).transpose()?;
    let sets = [pairs(comparison)?, shift.flatten(), run_order(comparison)?];
    Ok(sets.into_iter().flatten().collect())
}

fn figure(finding: &Finding, svg: String) -> Figure {
    Figure { caption: finding.metric.name().to_owned(), mark: None, svg }
}

fn pairs(comparison: &Comparison) -> Result<Option<ChartSet>, ChartError> {
    let mut figures = Vec::new();
    for finding in &comparison.primary {
        let noise = comparison.noise.iter().find(|noise| noise.metric == finding.metric);
        if let Some(svg) = strip::draw(finding, noise, comparison.is_paired())? {
            figures.push(figure(finding, svg));
        }
    }
    let how = "Each dot is one pair, the first at the top; the diamond is the Hodges-Lehmann \
               estimate with its 95\u{a0}% interval, and the grey band is the threshold. Below, if it was measured, the same for the base against itself: the noise.";
    let (title, how) = if comparison.is_paired() {
        ("Pairs", how)
    } else {
        let how = "The runs are not paired: the diamond is the estimated shift between both sets \
                   with its 95\u{a0}% interval, and the grey band is the threshold.";
        ("Estimates", how)
    };
    Ok(set_without_legend(title, how, figures))
}

fn shift_set(shift: &Shift) -> Result<Option<ChartSet>, ChartError> {
    let figure = Figure::plain(shift::draw(shift)?);
    let how = format!(
        "Read upwards from a quantile: how much slower (above the middle) or faster the test was there, as the median of {} pairs; the band is {} at each quantile alone. Descriptive: \
         no verdict depends on it. Beyond the last quantile with 100 samples it is n/a.",
        shift.pairs, shift.band
    );
    Ok(set_without_legend("Shift of response time by quantile", &how, vec![figure]))
}

fn run_order(comparison: &Comparison) -> Result<Option<ChartSet>, ChartError> {
    let mut figures = Vec::new();
    for finding in comparison.primary.iter().filter(|finding| finding.medians().is_some()) {
        figures.push(figure(finding, run_order::draw(finding, comparison.is_paired())?));
    }
    let how = "Values in the order in which the runs were made, the two runs of a pair joined: a \
               slope that base and test share is drift of the machine, and two levels are two kinds of runs.";
    Ok(set("Run order", how, figures))
}
