//! The table of a comparison: a row per metric, primary ones first.

use crate::compare::comparison::Comparison;
use crate::compare::finding::{Finding, Verdict};
use crate::format;
use crate::render::page::Cell;

/// One metric.
pub(crate) struct Row {
    pub(crate) metric: &'static str,
    pub(crate) advisory: bool,
    /// Whether it is the first of the advisory ones.
    pub(crate) first: bool,
    pub(crate) cells: Vec<Cell>,
    /// Name of the verdict's style, and its word.
    pub(crate) class: &'static str,
    pub(crate) verdict: String,
}

/// The rows of a comparison.
pub(crate) fn rows(one: &Comparison) -> Vec<Row> {
    let noise = |finding: &Finding| one.noise.iter().find(|noise| noise.metric == finding.metric);
    let primary = one.primary.iter().map(|finding| row(finding, noise(finding), false));
    let mut rows: Vec<Row> = primary.collect();
    let advisory = one.advisory.iter().map(|finding| row(finding, None, true));
    rows.extend(advisory.enumerate().map(|(at, row)| Row { first: at == 0, ..row }));
    rows
}

fn row(finding: &Finding, noise: Option<&Finding>, advisory: bool) -> Row {
    let (class, verdict) = match (&finding.missing, finding.verdict) {
        (Some(why), _) => ("none", format::clip(why, 120)),
        (None, Some(verdict)) => (verdict.name(), verdict.name().to_owned()),
        (None, None) => ("none", "–".to_owned()),
    };
    // An advisory metric decides nothing, so that its word stays pale.
    let class = if advisory { Verdict::Inconclusive.name() } else { class };
    let medians = finding.medians();
    Row {
        metric: finding.metric.name(),
        advisory,
        first: false,
        cells: vec![
            Cell::alone("base", medians.map(|(base, _)| finding.metric.show(base))),
            Cell::alone("test", medians.map(|(_, test)| finding.metric.show(test))),
            change("change", Some(finding)),
            Cell::alone("adjusted p", finding.p_adjusted.map(format::p)),
            threshold(finding),
            change("noise", noise),
        ],
        class,
        verdict,
    }
}

/// The smallest effect that counts, and below it what it takes to take a side, if that is more.
fn threshold(finding: &Finding) -> Cell {
    let show = |effect| finding.metric.show_size(effect);
    let side = finding.side_threshold();
    let raised = (side > finding.threshold).then(|| format!("{} to count", show(side)));
    let below = raised.unwrap_or_default();
    Cell { label: "threshold", value: show(finding.threshold), below }
}

/// An estimate with its interval below.
fn change(label: &'static str, finding: Option<&Finding>) -> Cell {
    let estimate = finding.and_then(|finding| finding.estimate);
    let ends = finding.and_then(Finding::interval_95).filter(|_| estimate.is_some());
    let show = |estimate| finding.map(|one| one.metric.show_effect(estimate));
    let below = finding.zip(ends).map(|(one, ends)| one.metric.show_interval(ends));
    Cell { below: below.unwrap_or_default(), ..Cell::alone(label, estimate.and_then(show)) }
}
