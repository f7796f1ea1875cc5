//! What was set: fields of a workload that runs had at other values than its own, and in which of
//! them runs were meant to differ.

use std::cmp::Ordering;

use iowq_contract::{Overrides, Record};

use crate::format;

/// Values of a field that are named; the others are counted.
const VALUES_MAX: usize = 8;

/// The order in which values are shown: numbers by their size, all else by its letters.
pub(crate) fn order(one: &Overrides, other: &Overrides) -> Ordering {
    let values = one.0.iter().zip(&other.0).map(|((key, value), (other_key, other))| {
        key.cmp(other_key).then_with(|| of_values(value, other))
    });
    let first = values.into_iter().find(|order| order.is_ne());
    first.unwrap_or_else(|| one.0.len().cmp(&other.0.len()))
}

fn of_values(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.cmp(other),
    }
}

/// Whether runs have different values set, so that they are meant to differ in more than a policy.
pub(crate) fn is_varied(runs: &[&Record]) -> bool {
    runs.windows(2).any(|two| two[0].key.set != two[1].key.set)
}

/// `workers.bounded: 4 and 64` for each field that some run had set.
pub(crate) fn fields<'a>(runs: impl Iterator<Item = &'a Record>) -> Vec<String> {
    let mut sets: Vec<&Overrides> = format::distinct(runs.map(|run| &run.key.set));
    sets.sort_by(|one, other| order(one, other));
    let keys = format::distinct(sets.iter().flat_map(|set| set.0.keys()));
    let field = |key: &String| {
        let mut values = format::distinct(sets.iter().map(|set| set.0.get(key)));
        // Without a value the field is as the workload has it.
        values.sort_by(|one, other| match (one, other) {
            (Some(one), Some(other)) => of_values(one, other),
            _ => one.is_some().cmp(&other.is_some()),
        });
        let shown = values.iter().map(|value| shown(*value)).collect();
        format!("{}: {}", format::clip(key, 60), format::first_of(shown, VALUES_MAX))
    };
    keys.into_iter().map(field).collect()
}

/// `workers.bounded 4 against 64` for each field in which two variants differ, the base first.
pub(crate) fn between(base: &Overrides, test: &Overrides) -> Vec<String> {
    let keys = format::distinct(base.0.keys().chain(test.0.keys()));
    let differs = |key: &&String| base.0.get(*key) != test.0.get(*key);
    let field = |key: &String| {
        let [base, test] = [base, test].map(|set| shown(set.0.get(key)));
        format!("{} {base} against {test}", format::clip(key, 60))
    };
    keys.into_iter().filter(differs).map(field).collect()
}

fn shown(value: Option<&String>) -> String {
    value.map_or_else(|| "the workload's own".to_owned(), |value| format::clip(value, 60))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn of(fields: &[(&str, &str)]) -> Overrides {
        Overrides(fields.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn numbers_are_in_the_order_of_their_size_and_words_in_that_of_letters() {
        let mut sets = ["64", "4", "1e3"].map(|value| of(&[("workers.bounded", value)]));
        sets.sort_by(order);
        let values: Vec<&str> = sets.iter().filter_map(|set| set.get("bounded")).collect();
        assert_eq!(values, ["4", "64", "1e3"]);
        assert!(order(&of(&[("files.open", "buffered")]), &of(&[("files.open", "dsync")])).is_lt());
        assert!(order(&Overrides::default(), &sets[0]).is_lt());
    }

    #[test]
    fn fields_are_named_with_their_values_and_those_that_do_not_differ_with_one() {
        let mut runs = [0, 1, 2].map(|round| sample::run("dsync", "6.17", round));
        assert!(fields(runs.iter()).is_empty());
        runs[0].key.set = of(&[("ring.depth", "8"), ("workers.bounded", "64")]);
        runs[1].key.set = of(&[("ring.depth", "8"), ("workers.bounded", "4")]);
        assert_eq!(fields(runs[..2].iter()), ["ring.depth: 8", "workers.bounded: 4 and 64"]);
        let all = fields(runs.iter());
        assert_eq!(all[0], "ring.depth: the workload's own and 8");
        assert!(is_varied(&runs.each_ref()) && !is_varied(&[&runs[0], &runs[0]]));
    }

    #[test]
    fn what_differs_between_two_variants_is_named_with_both_values() {
        let (base, test) = (of(&[("ring.depth", "8"), ("workers.bounded", "4")]), {
            of(&[("ring.depth", "8"), ("workers.bounded", "64")])
        });
        assert_eq!(between(&base, &test), ["workers.bounded 4 against 64"]);
        let own = between(&Overrides::default(), &test);
        assert_eq!(own[0], "ring.depth the workload's own against 8");
    }
}
