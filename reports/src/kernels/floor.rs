//! The noise floor: how far the base differs from itself, by workload and metric.

use serde::Serialize;

use crate::compare::comparison::Comparison;
use crate::compare::finding::Finding;
use crate::format;
use crate::runs::metric::Metric;

/// The base against itself on one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// Name of the workload.
    pub workload: String,
    /// Pairs of boots of the base.
    pub pairs: usize,
    /// Whether these are enough for a floor.
    pub counts: bool,
    /// The metrics that decide.
    pub metrics: Vec<Size>,
}

/// The base against itself in one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Size {
    /// Which.
    pub metric: Metric,
    /// The effect on the scale of the metric; `None` if there is no value.
    pub estimate: Option<f64>,
    /// Its interval of confidence 95 %, if so many pairs allow one.
    pub interval: Option<(f64, f64)>,
    /// Whether a change must be larger to count than was asked for.
    pub raises: bool,
}

/// A floor for each workload on which the base ran against itself, out of comparisons with it: those
/// of one workload share it.
pub fn floors(comparisons: &[Comparison]) -> Vec<Floor> {
    let mut floors: Vec<Floor> = Vec::new();
    for one in comparisons.iter().filter(|one| !one.noise.is_empty()) {
        match floors.iter_mut().find(|floor| floor.workload == one.workload) {
            // A share of the base's median counts, and the median is that of pairs.
            Some(floor) => {
                for (size, finding) in floor.metrics.iter_mut().zip(&one.primary) {
                    size.raises |= raises(finding);
                }
            }
            None => floors.push(Floor::of(one)),
        }
    }
    floors
}

fn raises(finding: &Finding) -> bool {
    finding.side_threshold() > finding.threshold
}

impl Size {
    /// The estimated change.
    pub fn change_text(&self) -> String {
        match self.estimate {
            None => "n/a".to_owned(),
            Some(0.0) => "0".to_owned(),
            Some(estimate) => self.metric.show_effect(estimate),
        }
    }

    /// Its interval, and whether a change must be larger for it.
    pub fn notes(&self) -> Vec<String> {
        let interval = self.interval.map(|ends| self.metric.show_interval(ends));
        interval.into_iter().chain(self.raises.then(|| "raises the threshold".to_owned())).collect()
    }
}

impl Floor {
    fn of(one: &Comparison) -> Self {
        let size = |(noise, finding): (&Finding, &Finding)| Size {
            metric: noise.metric,
            estimate: noise.estimate,
            interval: noise.interval_95(),
            raises: raises(finding),
        };
        Self {
            workload: one.workload.clone(),
            pairs: one.noise.iter().map(|noise| noise.points.len()).max().unwrap_or(0),
            counts: one.primary.iter().any(|finding| finding.noise_floor.is_some()),
            metrics: one.noise.iter().zip(&one.primary).map(size).collect(),
        }
    }

    /// The workload, as a reader sees it.
    pub fn workload_name(&self) -> String {
        format::clip(&self.workload, 60)
    }

    /// `8 pairs`, or that there is no floor of them.
    pub fn pairs_text(&self) -> String {
        let pairs = format::count(self.pairs as u64, "pair", "pairs");
        if self.counts { pairs } else { format!("{pairs}, no floor") }
    }

    /// `created/1000 0.12, peak 1 (raises the threshold)`.
    pub fn sizes_text(&self) -> String {
        let part = |size: &Size| {
            let floor = match size.estimate {
                None => "n/a".to_owned(),
                Some(0.0) => "0".to_owned(),
                Some(estimate) => size.metric.show_size(estimate.abs()),
            };
            let raises = if size.raises { " (raises the threshold)" } else { "" };
            format!("{} {floor}{raises}", size.metric.name())
        };
        format::list(&self.metrics.iter().map(part).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::compare::judge::Rules;
    use crate::kernels::outcome;
    use crate::kernels::read::Booted;
    use crate::load::Loaded;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    fn of(rounds: u32, noise: bool) -> Vec<Floor> {
        let made = if noise { sample::kernels_with_noise } else { sample::kernels };
        let (kernels, boots, records) = made(rounds);
        let booted = Booted { kernels, boots, loaded: Loaded { records, ..Loaded::default() } };
        outcome::compare(&booted, RULES, None).expect("nothing is to be confirmed").noise
    }

    #[test]
    fn each_workload_has_the_floor_of_the_base_against_itself() {
        let floors = of(8, true);
        let names: Vec<&str> = floors.iter().map(|floor| floor.workload.as_str()).collect();
        assert_eq!(names, ["paced", "dsync-1", "dsync-4", "limit-8", "cycle"]);
        assert!(floors.iter().all(|floor| floor.pairs == 8 && floor.counts));
        let text = floors[0].sizes_text();
        assert!(
            text.starts_with("created/1000 ") && text.contains(", peak 0 and linger "),
            "{text}"
        );
    }

    #[test]
    fn two_pairs_are_too_few_and_without_such_boots_there_is_none() {
        let floors = of(2, true);
        assert_eq!(floors[0].pairs_text(), "2 pairs, no floor");
        assert_eq!(of(2, false), []);
    }
}
