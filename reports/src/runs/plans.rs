//! Plans: in what runs of one workload name were asked for unlike things.

use std::collections::BTreeMap;

use iowq_contract::{PlanSettings, Record};
use serde_json::Value;

use crate::format;

/// Values of a field that are named; the others are counted.
const VALUES_MAX: usize = 3;

/// Fields that are not for the list: the digest says nothing by itself, and lengths stand apart.
const APART: [&str; 3] = ["digest", "length_ns", "length_ops"];

/// `mix.write: 1 and 2` for each field in which the plans of runs differ; runs that have none, of
/// older versions, are left out. Lengths stand apart, see [`lengths`].
pub fn unlike(runs: &[&Record]) -> Vec<String> {
    let plans = plans(runs);
    if plans.len() < 2 {
        return Vec::new();
    }
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for plan in &plans {
        for (field, value) in flat(plan) {
            fields.entry(field).or_default().push(value);
        }
    }
    fields.values_mut().for_each(|values| *values = format::distinct(std::mem::take(values)));
    fields.retain(|_, values| values.len() > 1);
    let lengths_alone = plans.iter().any(|plan| length(plan) != length(plans[0]));
    if fields.is_empty() && !lengths_alone {
        // It is over more than this version reads.
        let digests = plans.iter().map(|plan| format::clip(&plan.digest, 12)).collect();
        fields.insert("plan".to_owned(), digests);
    }
    fields.into_iter().map(|(field, values)| named(&field, values)).collect()
}

/// `length: 1 s and 9 s`, if runs were asked for unlike ones. Runs of older versions say what
/// they were asked for by flags, or nothing.
pub fn lengths(runs: &[&Record]) -> Option<String> {
    let plans = plans(runs);
    let values = if plans.is_empty() {
        let asked = runs.iter().filter_map(|run| run.asked.as_ref());
        let own = || "the workload's own".to_owned();
        let asked =
            asked.map(|asked| asked.seconds.map_or_else(own, |seconds| format!("{seconds} s")));
        format::distinct(asked)
    } else {
        format::distinct(plans.into_iter().map(length))
    };
    (values.len() > 1).then(|| named("length", values))
}

/// `2 s`, `500 ops`, or both where whichever is over first ends the run.
pub fn length(plan: &PlanSettings) -> String {
    let time = plan.length_ns.map(|ns| format!("{} s", ns as f64 / 1e9));
    let ops = plan.length_ops.map(|ops| format!("{ops} ops"));
    time.into_iter().chain(ops).collect::<Vec<_>>().join(" or ")
}

/// The plans of runs, each once.
fn plans<'a>(runs: &[&'a Record]) -> Vec<&'a PlanSettings> {
    let mut plans = Vec::new();
    for plan in runs.iter().filter_map(|run| run.settings.plan.as_ref()) {
        if !plans.contains(&plan) {
            plans.push(plan);
        }
    }
    plans
}

fn named(field: &str, values: Vec<String>) -> String {
    format!("{field}: {}", format::first_of(values, VALUES_MAX))
}

/// Every field by its name in the record, as text.
fn flat(plan: &PlanSettings) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(Value::Object(all)) = serde_json::to_value(plan) {
        for (name, value) in all.into_iter().filter(|(name, _)| !APART.contains(&name.as_str())) {
            match value {
                Value::Object(inner) => {
                    let inner = inner.into_iter();
                    fields.extend(
                        inner.map(|(part, value)| (format!("{name}.{part}"), show(&value))),
                    );
                }
                value => _ = fields.insert(name, show(&value)),
            }
        }
    }
    fields
}

fn show(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    format::clip(&text, 60)
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    /// Two runs with plans, the second changed.
    fn runs(change: impl Fn(&mut PlanSettings)) -> [Record; 2] {
        let mut runs = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.17", 0)];
        let plan = PlanSettings { length_ns: Some(1_000_000_000), ..Default::default() };
        for run in &mut runs {
            run.settings.plan = Some(plan.clone());
        }
        change(runs[1].settings.plan.as_mut().expect("it has one"));
        runs
    }

    #[test]
    fn fields_that_differ_are_named_as_the_record_has_them() {
        assert!(unlike(&runs(|_| ()).each_ref()).is_empty());
        let changed = runs(|plan| {
            plan.digest = "other".to_owned();
            plan.mix.write = 2;
            plan.open = vec!["dsync".to_owned()];
            plan.pattern.per_s = Some(5.0);
        });
        let found = unlike(&changed.each_ref());
        assert_eq!(
            found,
            ["mix.write: 0 and 2", "open: [] and [\"dsync\"]", "pattern.per_s: none and 5.0"]
        );
    }

    #[test]
    fn a_digest_that_differs_alone_is_a_plan_that_differs() {
        let other = runs(|plan| plan.digest = "f00".to_owned());
        assert_eq!(unlike(&other.each_ref()), ["plan:  and f00"]);
    }

    #[test]
    fn lengths_stand_apart() {
        let longer = runs(|plan| {
            (plan.length_ns, plan.digest) = (Some(9_000_000_000), "other".to_owned());
        });
        assert!(unlike(&longer.each_ref()).is_empty());
        assert_eq!(lengths(&longer.each_ref()).as_deref(), Some("length: 1 s and 9 s"));
        assert_eq!(lengths(&runs(|_| ()).each_ref()), None);
        let ops = runs(|plan| plan.length_ops = Some(500));
        assert_eq!(lengths(&ops.each_ref()).as_deref(), Some("length: 1 s and 1 s or 500 ops"));
    }

    #[test]
    fn runs_that_do_not_say_are_unlike_nothing_but_what_they_were_asked_for() {
        let mut old = runs(|_| ());
        old[0].settings.plan = None;
        assert!(unlike(&old.each_ref()).is_empty());
        assert_eq!(lengths(&old.each_ref()), None);
        old[1].settings.plan = None;
        old[1].asked.as_mut().expect("it says").seconds = Some(9.0);
        let found = lengths(&old.each_ref());
        assert_eq!(found.as_deref(), Some("length: the workload's own and 9 s"));
    }
}
