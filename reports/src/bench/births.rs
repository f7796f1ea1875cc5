//! Births by policy, in a sentence: how fast, and which were the first fill.

use crate::bench::topic::POLICIES_MAX;
use crate::format;
use crate::runs::births::Births;
use crate::runs::counts;
use crate::runs::figures::Figures;
use crate::runs::group::Section;
use crate::runs::metric::Metric;

/// `Born per second: 84.3 under 6.12 and 1.67 under 6.17.` None if workers were not counted, or counts are
/// in caveat.
pub fn rates(section: &Section<'_>) -> Option<String> {
    let rate = |figures: &Figures| Some(format::number(figures.of(Metric::BornPerS)?.median));
    by_group(section, rate).map(|rates| format!("Born per second: {rates}."))
}

/// `Born: 253 = fill 64 + churn 189 under 6.12 and 5 = fill 5 + churn 0 under 6.17.` None likewise.
pub fn parts(section: &Section<'_>) -> Option<String> {
    let parts = |figures: &Figures| figures.births.map(Births::text);
    by_group(section, parts).map(|parts| format!("Born: {parts}."))
}

fn by_group(section: &Section<'_>, say: impl Fn(&Figures) -> Option<String>) -> Option<String> {
    let of = section.groups.iter().filter(|group| group.is_measured()).filter_map(|group| {
        // The kernel is a reference and no policy.
        let under = if group.is_kernel() { "by" } else { "under" };
        Some(format!("{} {under} {}", say(&group.figures)?, group.variant))
    });
    let of: Vec<String> = of.collect();
    let said = !of.is_empty() && counts::churn_blocker(section).is_none();
    said.then(|| format::first_of(of, POLICIES_MAX))
}
