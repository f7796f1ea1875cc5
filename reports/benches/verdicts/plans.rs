//! Plans against what comes of them: pairs without an effect say what they would show, and how many
//! would decide; fresh pairs are then made as planned, and judged by the whole rule.

use iowq_reports::compare::{Finding, Metric, Rules, Verdict, plan};

use crate::simulated::{Machine, Order, Plan, Random};
use crate::whole::{Blank, Metrics};
use crate::{COMPARISONS, RULES};

/// Plans for more pairs than this are cut to it.
pub const PAIRS_MAX: usize = 80;

/// One way to plan, tried many times.
pub struct Trial<'a> {
    pub machine: Machine,
    pub blank: &'a Blank,
    pub random: Random,
}

impl Trial<'_> {
    /// How often an effect is called a regression that is as large as pairs said they would show.
    pub fn detectable(&mut self, pairs: usize) -> f64 {
        let (mut found, mut all) = (0, 0);
        for _ in 0..COMPARISONS {
            let before = self.finding(pairs, 0.0);
            if let Some(effect) = before.and_then(|before| before.detectable) {
                all += 1;
                found += usize::from(self.is(pairs, effect, Verdict::Regression));
            }
        }
        share(found, all)
    }

    /// Of pairs that said how many would decide: the mean of that number, and how often so many
    /// call an effect of the planned size a regression, and none the same.
    pub fn needed(&mut self, pairs: usize) -> [f64; 3] {
        let (mut needed, mut worse, mut same, mut all) = (0, 0, 0, 0);
        let effect = plan::EFFECT * RULES.threshold.ln_1p();
        for _ in 0..COMPARISONS {
            let before = self.finding(pairs, 0.0);
            let Some(number) = before.and_then(|before| before.pairs_needed) else { continue };
            let number = (number as usize).min(PAIRS_MAX);
            all += 1;
            needed += number;
            worse += usize::from(self.is(number, effect, Verdict::Regression));
            same += usize::from(self.is(number, 0.0, Verdict::Equivalent));
        }
        [needed as f64 / all as f64, share(worse, all), share(same, all)]
    }

    fn is(&mut self, pairs: usize, effect: f64, verdict: Verdict) -> bool {
        self.finding(pairs, effect).is_some_and(|finding| finding.verdict == Some(verdict))
    }

    /// What fresh pairs say on the metric that the effect is in.
    fn finding(&mut self, pairs: usize, effect: f64) -> Option<Finding> {
        let plan = Plan { order: Order::ByTwos, pairs, effect, noise: false };
        let runs = self.machine.compare(plan, &mut self.random);
        let rules = Rules { ..RULES };
        let found = self.blank.compare(&runs, Metrics::All, rules)?;
        found.primary.into_iter().find(|finding| finding.metric == Metric::ResponseP50)
    }
}

fn share(part: usize, all: usize) -> f64 {
    part as f64 / all.max(1) as f64
}
