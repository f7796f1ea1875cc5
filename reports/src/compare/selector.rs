//! Selectors: which runs of a file are meant behind its `@`: `6.17`, `bounded=4`, `6.17,bounded=4`.

use std::cmp::Ordering;

use iowq_contract::{Overrides, Record, parts_of};

use crate::format;
use crate::runs::group::{self, POOL};
use crate::runs::set;

/// What stands between the file and the variant, and between the parts of its name.
pub(super) const SIGN: char = '@';
const COMMA: &str = ",";

/// What a run is one of, as a command line names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    /// A policy, `io_uring`, or the kernel that was booted; what the pool did in that boot is told
    /// apart, for a kernel may be called as a preset is.
    rules: String,
    set: Overrides,
}

impl Variant {
    /// Of a measured run.
    pub(super) fn of(run: &Record) -> Self {
        let rules = group::rules(run).into_owned();
        let beside = run.key.boot.is_some() && run.key.engine == POOL;
        let rules = if beside { format!("{rules} on {POOL}") } else { rules };
        Self { rules, set: run.key.set.clone() }
    }

    /// As reports call it: `6.17 bounded=4`.
    pub(super) fn shown(&self) -> String {
        if self.set.is_empty() {
            return self.rules.clone();
        }
        format!("{} {}", self.rules, self.set)
    }

    /// As it is typed behind the sign: `6.17,bounded=4`.
    fn typed(&self) -> String {
        let rules = std::iter::once(self.rules.clone());
        rules.chain(self.set.parts()).collect::<Vec<_>>().join(COMMA)
    }

    /// Whether a selector means it: by what it is called in reports, or by some of its parts.
    pub(super) fn is_meant_by(&self, selector: &str) -> bool {
        let meant = |part: &str| {
            let value = |(field, value): (&str, &str)| self.set.get(field) == Some(value);
            part == self.rules || part.split_once('=').is_some_and(value)
        };
        selector == self.shown() || parts_of(selector).all(meant)
    }

    /// Presets in the order of kernels, and values in that of their size.
    fn order(&self, other: &Self) -> Ordering {
        let rank = |one: &Self| group::rank(&one.rules);
        rank(self).cmp(&rank(other)).then_with(|| set::order(&self.set, &other.set))
    }
}

/// The variants of measured runs, each once.
pub(super) fn variants<'a>(runs: impl Iterator<Item = &'a Record>) -> Vec<Variant> {
    let mut variants = format::distinct(runs.map(Variant::of));
    variants.sort_by(Variant::order);
    variants
}

/// A list of variants, as reports call them.
pub(super) fn list(variants: &[Variant]) -> String {
    format::list(&variants.iter().map(Variant::shown).collect::<Vec<_>>())
}

/// Two sets to type in place of a file that has several variants.
pub(super) fn example(file: &str, [first, second]: [&Variant; 2]) -> String {
    let name = |variant: &Variant| {
        let name = format!("{file}{SIGN}{}", variant.typed());
        // What a shell would part or take for a pattern.
        let odd = |letter: char| letter.is_whitespace() || "'\"[]{}()*?$;&|<>!`\\".contains(letter);
        if name.contains(odd) { format!("'{}'", name.replace('\'', r"'\''")) } else { name }
    };
    format!("{} {}", name(first), name(second))
}

#[cfg(test)]
mod tests {
    use iowq_contract::InBoot;
    use iowq_sample as sample;

    use super::*;

    fn run(policy: &str, fields: &[(&str, &str)]) -> Record {
        let mut run = sample::run("dsync", policy, 0);
        let fields = fields.iter().map(|&(key, value)| (key.to_owned(), value.to_owned()));
        run.key.set = Overrides(fields.collect());
        run
    }

    #[test]
    fn a_variant_is_meant_by_its_label_or_by_some_of_its_parts() {
        let variant = Variant::of(&run("6.17", &[("workers.bounded", "4"), ("ring.depth", "16")]));
        for selector in [
            "6.17",
            "bounded=4",
            "workers.bounded=4",
            "6.17,bounded=4",
            "depth=16,bounded=4,6.17",
            "6.17 depth=16 bounded=4",
        ] {
            assert!(variant.is_meant_by(selector), "{selector}");
        }
        for selector in
            ["6.12", "bounded=64", "6.12,bounded=4", "bounded", "", "6.17,", "unbounded=4"]
        {
            assert!(!variant.is_meant_by(selector), "{selector}");
        }
    }

    #[test]
    fn a_policy_with_a_sign_of_equality_and_a_list_with_commas_are_whole() {
        assert!(Variant::of(&run("fixed:workers=8", &[])).is_meant_by("fixed:workers=8"));
        let list = Variant::of(&run("6.17", &[("files.open", "[\"dsync\",\"sync\"]")]));
        assert!(list.is_meant_by("6.17,open=[\"dsync\",\"sync\"]"));
    }

    #[test]
    fn an_example_can_be_typed_as_it_is() {
        let [one, other] =
            ["4", "64"].map(|it| Variant::of(&run("6.17", &[("workers.bounded", it)])));
        let expected = "out@6.17,bounded=4 out@6.17,bounded=64";
        assert_eq!(example("out", [&one, &other]), expected);
        let list = Variant::of(&run("6.17", &[("files.open", "[\"dsync\"]")]));
        assert!(example("out", [&list, &one]).starts_with("'out@6.17,open=[\"dsync\"]' out@"));
    }

    #[test]
    fn a_kernel_that_was_booted_is_told_from_the_pool_beside_it() {
        let mut booted = run("6.12", &[("workers.bounded", "4")]);
        booted.key.boot =
            Some(InBoot { kernel: "6.12".to_owned(), number: 0, round: 0, repeat: 0 });
        assert_eq!(Variant::of(&booted).shown(), "6.12 on pool bounded=4");
        "uring".clone_into(&mut booted.key.engine);
        assert!(Variant::of(&booted).is_meant_by("6.12,bounded=4"));
    }
}
