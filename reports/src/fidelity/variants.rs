//! Variants: what the kernel and each preset did with one workload, and how near they are.

use iowq_contract::Record;

use crate::runs::counts;
use crate::runs::figures::Spread;
use crate::runs::group::{Group, PRESETS, Section};
use crate::runs::metric::Metric;

/// Counts up to this factor apart are alike. Medians of five runs of two presets with the same
/// rules, 6.17 and exit-on-idle with a ring open, lay up to a factor of 1.11 apart on four
/// workloads (`reports/runs`), and rules that differ there lay a factor of 38 or more apart.
pub const ALIKE_FACTOR: f64 = 1.25;

/// Counts up to this many workers apart are alike, whatever their factor: 1 and 2 workers are a
/// matter of timing, not of rules.
pub const ALIKE_WORKERS: f64 = 1.0;

/// Medians of the runs of an variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// Workers created.
    pub created: f64,
    /// Most workers alive at one time.
    pub peak: f64,
}

/// A preset and what it did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant<'a> {
    /// Name of the preset.
    pub preset: &'a str,
    /// What it did.
    pub counts: Counts,
}

/// All variants of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Variants<'a> {
    /// What io_uring did.
    pub kernel: Counts,
    /// What each preset did, in the order of kernels.
    pub presets: Vec<Variant<'a>>,
}

impl Counts {
    /// How far two variants are from each other: 0 if they did the same.
    pub fn distance(self, other: Self) -> f64 {
        let part = |a: f64, b: f64| ((a + 1.0).ln() - (b + 1.0).ln()).abs();
        part(self.created, other.created) + part(self.peak, other.peak)
    }

    /// Whether two variants behave the same, as far as runs can show.
    pub fn alike(self, other: Self) -> bool {
        alike(self.created, other.created) && self.peak_alike(other)
    }

    /// Whether the peaks of two variants are the same, as far as runs can show.
    pub fn peak_alike(self, other: Self) -> bool {
        alike(self.peak, other.peak)
    }

    /// Workers created for each that `other` did; none if that is none.
    pub fn created_ratio(self, other: Self) -> Option<f64> {
        (other.created > 0.0).then(|| self.created / other.created)
    }
}

/// Whether two counts are at most a factor or so many workers apart.
pub(crate) fn near(a: f64, b: f64, factor: f64, workers: f64) -> bool {
    (a - b).abs() <= workers || a.max(b) <= factor * a.min(b)
}

/// Whether two counts are [`ALIKE_FACTOR`] or [`ALIKE_WORKERS`] apart at most.
fn alike(a: f64, b: f64) -> bool {
    near(a, b, ALIKE_FACTOR, ALIKE_WORKERS)
}

impl<'a> Variants<'a> {
    /// Of a section, with the presets that are wanted.
    ///
    /// # Errors
    ///
    /// Why the variants cannot be held against each other: one did not finish, or was badly counted.
    pub fn of(section: &Section<'a>, wanted: &[&'a str]) -> Result<Self, String> {
        let kernel = section.kernel().ok_or("io_uring did not run")?;
        Self::beside(kernel, section, wanted)
    }

    /// The same beside one of several groups of the kernel: the presets that had the same set.
    ///
    /// # Errors
    ///
    /// As of [`Self::of`].
    pub fn beside(
        kernel: &Group<'a>,
        section: &Section<'a>,
        wanted: &[&'a str],
    ) -> Result<Self, String> {
        let set = kernel.set;
        let kernel = counts(kernel)?;
        let mut presets = Vec::new();
        for preset in wanted {
            let like = |group: &&Group<'_>| group.is_preset() && group.set == set;
            let mut groups = section.groups.iter().filter(like);
            let group = groups.find(|group| group.policy == *preset);
            let group = group.ok_or_else(|| format!("{preset} did not run"))?;
            presets.push(Variant { preset, counts: counts(group)? });
        }
        Ok(Self { kernel, presets })
    }

    /// The presets that are alike one of them, without it.
    pub fn alike(&self, one: Variant<'a>) -> impl Iterator<Item = &Variant<'a>> {
        let alike = move |other: &&Variant<'_>| {
            other.preset != one.preset && other.counts.alike(one.counts)
        };
        self.presets.iter().filter(alike)
    }

    /// The preset nearest to the kernel; of equal ones the first of `favoured`, or of all.
    pub fn nearest(&self, favoured: &[&str]) -> Option<Variant<'a>> {
        let place = |preset: &str| favoured.iter().position(|one| *one == preset);
        let key = |variant: &&Variant<'_>| {
            (self.kernel.distance(variant.counts), place(variant.preset).unwrap_or(favoured.len()))
        };
        let least = self.presets.iter().min_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
        });
        least.copied()
    }
}

/// The presets that ran in some section, in the order of kernels.
pub(crate) fn presets<'a>(sections: &[Section<'a>]) -> Vec<&'a str> {
    let groups = || sections.iter().flat_map(|section| &section.groups);
    let ran = |preset: &&str| {
        let group = groups().find(|group| group.is_preset() && group.policy == *preset);
        group.map(|group| group.policy)
    };
    PRESETS.iter().filter_map(ran).collect()
}

/// Medians of an variant's runs, or why they cannot be trusted.
fn counts(group: &Group<'_>) -> Result<Counts, String> {
    let label = &group.label;
    if group.runs.iter().any(|run| run.probe.events_lost > 0) {
        return Err(format!("events were lost under {label}"));
    }
    if group.runs.iter().any(|run| counts::counts_disagree(run)) {
        return Err(format!("counts disagree under {label}"));
    }
    // Polling misses who comes and goes in between, so that it cannot stand for a count.
    let created = |run: &&Record| {
        let created = run.workers.created;
        created.probe.or(created.engine).map(|count| count as f64)
    };
    let created: Option<Vec<f64>> = group.runs.iter().map(created).collect();
    let created = created.ok_or_else(|| format!("no probe counted workers under {label}"))?;
    let created = Spread::of(created).ok_or_else(|| format!("no run finished under {label}"))?;
    let peak =
        group.figures.of(Metric::Peak).ok_or_else(|| format!("no run finished under {label}"))?;
    Ok(Counts { created: created.median, peak: peak.median })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(created: f64, peak: f64) -> Counts {
        Counts { created, peak }
    }

    #[test]
    fn the_distance_is_zero_for_the_same_and_the_same_both_ways() {
        let (few, many) = (counts(9.0, 9.0), counts(99.0, 64.0));
        assert_eq!(few.distance(few), 0.0);
        assert!((few.distance(many) - (10.0_f64.ln() + 6.5_f64.ln())).abs() < 1e-12);
        assert_eq!(few.distance(many), many.distance(few));
        assert!(counts(0.0, 0.0).distance(counts(0.0, 0.0)) == 0.0, "none has a distance too");
    }

    #[test]
    fn a_quarter_or_one_worker_is_alike_and_more_is_not() {
        let rows = [(100.0, 125.0, true), (100.0, 126.0, false), (0.0, 1.0, true)];
        for (a, b, alike) in rows.into_iter().chain([(1.0, 2.0, true), (1.0, 3.0, false)]) {
            assert_eq!((super::alike(a, b), super::alike(b, a)), (alike, alike), "{a} and {b}");
        }
        assert!(!counts(100.0, 5.0).alike(counts(100.0, 9.0)), "peaks count as well");
    }

    #[test]
    fn of_equally_near_presets_the_favoured_one_is_taken() {
        let variant = |preset| Variant { preset, counts: counts(5.0, 5.0) };
        let variants =
            Variants { kernel: counts(5.0, 5.0), presets: vec![variant("6.12"), variant("6.17")] };
        let nearest = |favoured: &[&str]| variants.nearest(favoured).map(|variant| variant.preset);
        assert_eq!(nearest(&["6.17"]), Some("6.17"));
        assert_eq!(nearest(&["6.1", "6.17"]), Some("6.17"));
        assert_eq!(nearest(&[]), Some("6.12"));
        let none = Variants { kernel: counts(5.0, 5.0), presets: Vec::new() };
        assert_eq!(none.nearest(&[]), None);
    }
}
