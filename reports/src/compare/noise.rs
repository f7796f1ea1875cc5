//! Noise: the base against itself, and how large an effect must be beside that to take a side.

use iowq_contract::{Caveat, Code, Role};

use crate::compare::comparison::Pairing;
use crate::compare::decide::Decides;
use crate::compare::finding::Finding;
use crate::compare::judge::{Adjust, Rules};
use crate::compare::pairs::Beside;
use crate::compare::set::Set;
use crate::compare::{judge, pairs};
use crate::format;

/// What the base against itself says.
#[derive(Debug, Default)]
pub struct Noise {
    /// The primary metrics, judged by themselves.
    pub findings: Vec<Finding>,
    /// What forbids a verdict.
    pub blockers: Vec<Caveat>,
    /// What a reader should know.
    pub notes: Vec<Caveat>,
    /// Whether there are pairs enough for a floor.
    has_floor: bool,
}

impl Noise {
    /// Of the variant of the base's file that is the base once more; nothing if there is none.
    pub fn of(base: &Set<'_>, workload: &str, decides: &Decides, rules: Rules) -> Self {
        let variant = match pairs::of_role(base, workload, Role::Noise) {
            Beside::Nothing => return Self::default(),
            Beside::Another(text) => {
                let notes = vec![Caveat::new(Code::NoiseOfAnother, text)];
                return Self { notes, ..Self::default() };
            }
            Beside::Variant(variant) => variant,
        };
        let mut findings: Vec<Finding> =
            decides.primary.iter().map(|metric| judge::find(*metric, &variant, rules)).collect();
        judge::judge(&mut findings, Adjust::Holm, rules.alpha, variant.is_paired());
        let mut noise = Self { findings, ..Self::default() };
        match &variant.pairing {
            Pairing::Unpaired { why, .. } => {
                let text = format!(
                    "The {} of the base against itself are not paired: {why}. Run `bench` or \
                     `kernels` with --noise, and compare its record alone.",
                    variant.unit().1
                );
                noise.blockers.push(Caveat::new(Code::NoiseUnpaired, text));
            }
            Pairing::Paired { pairs, .. } => {
                let needed = judge::pairs_min(&noise.findings, rules.alpha);
                noise.has_floor = needed.is_some_and(|needed| *pairs >= needed);
                let few = needed.filter(|needed| pairs < needed);
                noise.notes.extend(few.map(|needed| few_pairs(*pairs, needed)));
            }
        }
        noise.blockers.extend(noise.rejects(rules.alpha));
        noise
    }

    /// Makes it as hard to take a side as the base differs from itself. Not by the end of its
    /// interval: that grows with any noise. And nothing else: what passes as the same stays what
    /// was asked for.
    pub fn raise(&self, primary: &mut [Finding]) {
        for (finding, noise) in primary.iter_mut().zip(&self.findings).filter(|_| self.has_floor) {
            finding.noise_floor = noise.estimate.map(f64::abs);
        }
    }

    /// The base differs from itself: then so may anything.
    fn rejects(&self, alpha: f64) -> Option<Caveat> {
        let rejected = self.findings.iter().filter(|finding| finding.rejects(alpha));
        let names: Vec<String> =
            rejected.map(|finding| finding.metric.title().to_owned()).collect();
        let text = format!(
            "The base differs from itself in {}, so that a difference shows nothing. Make the \
             machine quieter, or the runs longer.",
            format::list(&names)
        );
        (!names.is_empty()).then(|| Caveat::new(Code::NoiseRejects, text))
    }
}

fn few_pairs(pairs: u32, needed: u32) -> Caveat {
    let text = format!(
        "The base ran against itself in {}, and {needed} are needed to show a difference: its \
         noise is not known.",
        format::count(u64::from(pairs), "pair", "pairs")
    );
    Caveat::new(Code::FewNoisePairs, text)
}

/// Metrics in which it takes more than was asked for to take a side.
pub fn raised(primary: &[Finding]) -> Option<Caveat> {
    let raised = primary.iter().filter(|one| one.side_threshold() > one.threshold);
    let parts: Vec<String> = raised
        .map(|one| {
            format!("{} ({})", one.metric.title(), one.metric.show_size(one.side_threshold()))
        })
        .collect();
    let text = format!(
        "The base differs from itself by more than the threshold, so that a change must be \
         larger to count: {}. The limit for equivalence stays the threshold.",
        format::list(&parts)
    );
    (!parts.is_empty()).then(|| Caveat::new(Code::NoiseFloor, text))
}
