//! Names of what one file has several of: those of the same name get a number, so that they stay
//! apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{clip, first_of};
use crate::import::blank::{self, NAME_CHARS_MAX};

/// Characters for a number: `#1000`.
const NUMBER_CHARS_MAX: usize = 12;

/// Names that a note has of what is named alike.
const SHOWN_MAX: usize = 4;

/// A name for each thing, no two of them the same, and what to say of those that were. `what` is what
/// they are, such as `jobs`.
pub(super) fn of<'a>(
    things: impl Iterator<Item = &'a str>,
    what: &str,
) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> = things.map(blank::name).collect();
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        places.entry(name.clone()).or_default().push(at);
    }
    places.retain(|_, places| places.len() > 1);
    let mut taken: BTreeSet<String> =
        names.iter().filter(|name| !places.contains_key(*name)).cloned().collect();
    // By what is left of a long name.
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut notes = Vec::new();
    for (name, places) in &places {
        let short = clip(name, NAME_CHARS_MAX - NUMBER_CHARS_MAX);
        let number = numbers.entry(short.clone()).or_default();
        for &at in places {
            names[at] = loop {
                *number += 1;
                let own = format!("{short}#{number}");
                if taken.insert(own.clone()) {
                    break own;
                }
            };
        }
        let own = places.iter().map(|at| names[*at].clone()).collect();
        let (count, own) = (places.len(), first_of(own, SHOWN_MAX));
        notes.push(format!("{count} {what} are named {short:?}: they are the workloads {own}"));
    }
    (names, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_name_are_numbered_and_said_and_none_takes_the_name_of_another() {
        let (names, notes) = of(["a", "b", "a", "a#1", ""].into_iter(), "jobs");
        assert_eq!(names, ["a#2", "b", "a#3", "a#1", "unknown"]);
        assert_eq!(notes, ["2 jobs are named \"a\": they are the workloads a#2 and a#3"]);
    }

    #[test]
    fn long_names_stay_apart_and_short_enough() {
        let long = "x".repeat(500);
        let (names, _) = of([&*long, &*long].into_iter(), "jobs");
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.chars().count() <= NAME_CHARS_MAX));
    }
}
