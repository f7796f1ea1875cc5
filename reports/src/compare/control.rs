//! Control: whether a delay that was injected into the base was found.

use iowq_contract::{Caveat, Code, Role};

use crate::compare::comparison::Control;
use crate::compare::judge::Rules;
use crate::compare::pairs::{Beside, Matched};
use crate::compare::plan::POWER;
use crate::compare::set::Set;
use crate::compare::{judge, pairs};
use crate::format;
use crate::runs::metric::Metric;
use crate::stats::power;

/// Of the variant of the base's file that has a delay, and what a reader should know of it.
pub fn of(base: &Set<'_>, workload: &str, rules: Rules) -> (Option<Control>, Option<Caveat>) {
    match pairs::of_role(base, workload, Role::Control) {
        Beside::Nothing => (None, None),
        Beside::Another(text) => (None, Some(Caveat::new(Code::ControlOfAnother, text))),
        Beside::Variant(variant) => {
            let control = found(&variant, rules);
            (control, control.and_then(blind))
        }
    }
}

/// Whether the delay was found: one metric, named before, so nothing is adjusted.
fn found(variant: &Matched<'_>, rules: Rules) -> Option<Control> {
    let delayed = variant.test.iter().flat_map(|unit| &unit.runs);
    let delay_ns = delayed.filter_map(|run| run.settings.injected_delay_ns).next()?;
    let finding = judge::find(Metric::ResponseP50, variant, rules);
    let (base_ns, _) = finding.medians()?;
    let injected = delay_ns as f64 / base_ns;
    let slower = finding.estimate.is_some_and(|estimate| estimate > 0.0);
    let found = slower && finding.p.is_some_and(|p| p < rules.alpha);
    let effects = finding.effects();
    let needed = || power::pairs_needed(&effects, injected.ln_1p(), rules.alpha, POWER);
    // So many were made, and did not find it: then the plan is wrong, and no number to tell.
    let more = |needed: &u32| *needed as usize > effects.len();
    let pairs_needed = if found { None } else { needed().filter(more) };
    Some(Control { injected, found, pairs_needed })
}

fn blind(control: Control) -> Option<Caveat> {
    let percent = format::number(control.injected * 100.0);
    let needed = control.pairs_needed.map_or_else(
        || "more pairs may not show it".to_owned(),
        |pairs| format!("about {pairs} pairs would show it"),
    );
    let text = format!(
        "An injected delay of {percent} % of the median response time was not found: these runs \
         cannot show effects of that size; {needed}."
    );
    (!control.found).then(|| Caveat::new(Code::Blind, text))
}
