//! The options that hold for a job, by what becomes of each.

use std::collections::BTreeMap;

use super::lists::{ALIASES, IGNORED, List, REFUSED, TAKEN};
use super::refusals::Refusals;
use super::section::Written;
use crate::error::{SpecError, did_you_mean};

/// Options by name, without those that fio does not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// The last of each name, and all of `filename`.
    written: BTreeMap<&'static str, Written>,
    /// Their names in the order of the file: of two that say the same, the later one holds.
    order: Vec<&'static str>,
}

impl Options {
    /// Adds those of a section, which win over those before them.
    pub(super) fn add(&mut self, file: &str, written: &[Written], refusals: &mut Refusals) {
        for option in written {
            match known(&option.name) {
                Some(name) => self.insert(name, option.clone()),
                None => refusals.add_unknown(|| unknown(file, option)),
            }
        }
    }

    fn insert(&mut self, name: &'static str, mut option: Written) {
        self.order.retain(|other| *other != name);
        self.order.push(name);
        if name == "filename" {
            option.value = self.names_with(option.value);
        }
        self.written.insert(name, option);
    }

    /// The names of files so far and these: fio adds those of a second `filename` to the first's.
    fn names_with(&self, names: Option<String>) -> Option<String> {
        let before = self.get("filename").and_then(|written| written.value.as_deref());
        match (before, names) {
            (Some(before), Some(names)) => Some(format!("{before}:{names}")),
            (_, names) => names,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Written> {
        self.written.get(name)
    }

    /// Which of two options that were both given comes last in the file.
    pub(super) fn later(&self, one: &str, other: &str) -> Option<&'static str> {
        self.order.iter().rev().copied().find(|name| *name == one || *name == other)
    }

    /// Those that are on and not carried out.
    pub(super) fn refused(&self, file: &str) -> Vec<SpecError> {
        let on = self.written.iter().filter(|(name, option)| !is_off(name, option));
        on.filter_map(|(name, option)| listed(&REFUSED, name).map(|why| refusal(file, option, why)))
            .collect()
    }

    /// The names of those that change nothing, in the order of the file.
    pub(super) fn ignored(&self) -> Vec<&'static str> {
        self.order.iter().copied().filter(|name| !TAKEN.contains(name)).collect()
    }
}

/// The name by which an option is listed; none if no list has it.
fn known(name: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name, |(_, name)| name);
    TAKEN.into_iter().chain(names_of(&IGNORED)).chain(names_of(&REFUSED)).find(|it| *it == name)
}

fn names_of(lists: &'static [List]) -> impl Iterator<Item = &'static str> {
    lists.iter().flat_map(|(_, names)| names.split(' '))
}

fn listed(lists: &'static [List], name: &str) -> Option<&'static str> {
    lists.iter().find(|(_, names)| names.split(' ').any(|it| it == name)).map(|(why, _)| *why)
}

/// Whether a value leaves an option that is refused at what fio does without it.
fn is_off(name: &str, option: &Written) -> bool {
    let off: &[&str] = match name {
        "zonemode" | "dataplacement" => &["none"],
        "numa_mem_policy" => &["default", "local"],
        // fio takes a priority without a class for one of the best-effort class, whose 0 is not what
        // a process has by default; a node, user or group of 0 is one like any other.
        "prio" | "prioclass" | "numa_cpu_nodes" | "uid" | "gid" | "cpumask" | "cpus_allowed"
        | "opendir" => &[""],
        _ => &["0"],
    };
    option.value.as_deref().is_some_and(|value| off.contains(&value))
}

fn refusal(file: &str, option: &Written, advice: &str) -> SpecError {
    let found = option.value.as_ref().map_or_else(|| "it".to_owned(), |value| format!("`{value}`"));
    SpecError::Option {
        file: file.to_owned(),
        line: option.line,
        option: option.name.clone(),
        found,
        allowed: format!("nothing: {advice}"),
    }
}

fn unknown(file: &str, option: &Written) -> SpecError {
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    let names = TAKEN.into_iter().chain(names_of(&IGNORED)).chain(names_of(&REFUSED));
    SpecError::UnknownOption {
        file: file.to_owned(),
        line: option.line,
        hint: did_you_mean(&option.name, names.chain(aliases)),
        found: option.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_in_two_lists() {
        let lists = TAKEN.into_iter().chain(names_of(&IGNORED)).chain(names_of(&REFUSED));
        let mut names: Vec<&str> = lists.collect();
        assert!(ALIASES.iter().all(|(_, name)| names.contains(name)));
        names.extend(ALIASES.iter().map(|(alias, _)| *alias));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
