//! One metric of a policy against the base: ranges of runs, nothing cleverer.

use crate::runs::figures::Spread;
use crate::runs::group::Section;
use crate::runs::metric::Metric;

/// What may be said of a policy against the base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// A run on either side lacks the metric.
    Missing,
    /// One run on a side: nothing shows how far runs vary by themselves.
    Single,
    /// Some value could belong to both.
    Overlap,
    /// Every run of one side lies beyond every run of the other.
    Apart,
}

/// A policy against the base.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The policy.
    pub policy: &'a str,
    /// Its figures.
    pub test: Option<Spread>,
    /// What may be said.
    pub finding: Finding,
}

/// Each policy with a finished run against the base, in the order of the section. Policies of
/// another engine than the base's are left out: what differs then need not be the policy. So are
/// runs for noise and control, which stand for no policy.
pub fn against_base<'a>(
    section: &'a Section<'_>,
    base: usize,
    metric: Metric,
) -> Vec<Comparison<'a>> {
    let Some(base_group) = section.groups.get(base) else {
        return Vec::new();
    };
    let base_spread = base_group.figures.of(metric);
    let others = section.groups.iter().enumerate();
    others
        .filter(|(at, group)| {
            let comparable = group.is_measured() && group.engine == base_group.engine;
            *at != base && comparable && !group.runs.is_empty()
        })
        .map(|(_, group)| {
            let test = group.figures.of(metric);
            Comparison { policy: &group.variant, test, finding: find(base_spread, test) }
        })
        .collect()
}

fn find(base: Option<Spread>, test: Option<Spread>) -> Finding {
    match (base, test) {
        (Some(base), Some(test)) if base.runs.min(test.runs) < 2 => Finding::Single,
        (Some(base), Some(test)) if base.overlaps(&test) => Finding::Overlap,
        (Some(_), Some(_)) => Finding::Apart,
        _ => Finding::Missing,
    }
}

/// In one of how many comparisons of two equal policies the ranges of `runs` each would still lie
/// apart: half the ways to deal `2 * runs` values into two hands.
pub fn apart_by_chance_one_in(runs: usize) -> f64 {
    let hands = (1..=runs).fold(1.0, |ways, at| ways * (runs + at) as f64 / at as f64);
    hands / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Option<Spread> {
        Spread::of(values.to_vec())
    }

    #[test]
    fn ranges_decide_and_one_run_decides_nothing() {
        assert_eq!(find(spread(&[1.0, 2.0]), spread(&[3.0, 4.0])), Finding::Apart);
        assert_eq!(find(spread(&[1.0, 3.0]), spread(&[2.0, 4.0])), Finding::Overlap);
        assert_eq!(find(spread(&[1.0]), spread(&[3.0, 4.0])), Finding::Single);
        assert_eq!(find(spread(&[1.0, 2.0]), None), Finding::Missing);
    }

    #[test]
    fn chance_alone_parts_three_runs_each_one_time_in_ten() {
        let rounded: Vec<f64> = (1..=5).map(|runs| apart_by_chance_one_in(runs).round()).collect();
        assert_eq!(rounded, [1.0, 3.0, 10.0, 35.0, 126.0]);
    }
}
