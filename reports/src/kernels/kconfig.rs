//! Differences of two configurations, and which of them bear on io-wq.

use std::collections::{BTreeMap, BTreeSet};

/// An option that two kernels have set differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name without the `CONFIG_`.
    pub option: String,
    /// Its value in the first; none where it is not set.
    pub a: Option<String>,
    /// Its value in the second.
    pub b: Option<String>,
    /// Why it bears on io-wq; none where nobody says that it does.
    pub why: Option<&'static str>,
}

/// Every option that differs, by name.
#[must_use]
pub fn differences(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<Difference> {
    let options: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ = options.into_iter().filter(|option| a.get(*option) != b.get(*option));
    let difference = |option: &String| Difference {
        option: option.clone(),
        a: a.get(option).cloned(),
        b: b.get(option).cloned(),
        why: why(option),
    };
    differ.map(difference).collect()
}

fn why(option: &str) -> Option<&'static str> {
    const MATTERS: [(&str, &str); 3] = [
        ("IO_URING", "io_uring itself"),
        ("PREEMPT", "when a worker in the kernel gives up its processor"),
        ("HZ", "how fine timers are"),
    ];
    MATTERS.iter().find(|(name, _)| option.starts_with(name)).map(|(_, why)| *why)
}
