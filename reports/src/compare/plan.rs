//! Planning: what a comparison would have called a change, and how many pairs would decide.
//!
//! The rule has steps, and a plan must get over each. To take a side p has to be below the adjusted
//! alpha, and the estimate at least the threshold. An effect of just the threshold's size falls
//! short of it in half of all comparisons, however many pairs there are, so that nothing is planned
//! for it: the plan is for one and a half thresholds, and for the case that there is no effect at
//! all and sameness has to be shown.

use crate::compare::finding::Finding;
use crate::stats::power;

/// Power of a plan.
pub const POWER: f64 = 0.8;

/// The effect that a plan is for, in thresholds.
pub const EFFECT: f64 = 1.5;

/// Smallest effect that these pairs would have called a change: never less than what takes a side.
/// None if the effects do not scatter, which with few pairs is a matter of ties.
pub fn detectable(finding: &Finding, alpha_strictest: f64) -> Option<f64> {
    let effects = finding.effects();
    let stray = power::stray(&effects, 1.0 - POWER).filter(|stray| *stray > 0.0)?;
    let rejects = power::detectable(&effects, alpha_strictest, POWER)?;
    Some(rejects.max(finding.side_threshold() + stray))
}

/// Pairs that would decide: call an effect of [`EFFECT`] thresholds a change, and none the same.
/// None if so many were made, or more than can be made are needed, and without scatter.
pub fn pairs_needed(finding: &Finding, alpha_strictest: f64, alpha: f64) -> Option<u32> {
    let effects = finding.effects();
    power::stray(&effects, 1.0 - POWER).filter(|stray| *stray > 0.0)?;
    let side = finding.side_threshold();
    let rejects = power::pairs_needed(&effects, EFFECT * side, alpha_strictest, POWER)?;
    let reaches = power::pairs_to_stray(&effects, (EFFECT - 1.0) * side, 1.0 - POWER)?;
    let same = power::pairs_for_sameness(&effects, finding.threshold, alpha, POWER)?;
    let needed = rejects.max(reaches).max(same);
    (needed as usize > effects.len()).then_some(needed)
}
