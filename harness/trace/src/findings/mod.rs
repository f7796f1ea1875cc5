//! What a trace means, in plain words: each rule is a function from a process to what it found.

mod churn;
mod closed;
mod forced;
mod hashed;
mod limit;
mod pinned;
mod rings;
mod unbounded;

use iowq_contract::Tier;
use iowq_contract::trace::{Finding, TraceProcess};

use crate::story::Story;

/// Fewer requests of a kind than this are no pattern.
const REQUESTS_MIN: u64 = 100;

/// What the rules know besides a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    /// How long the trace lasted.
    pub(crate) at_ns: u64,
    /// Release of the kernel, in three parts; zeroes if it cannot be read.
    pub(crate) release: [u32; 3],
    /// Whether births are lower bounds, and requests not seen.
    pub(crate) is_lower_bound: bool,
    /// Whether it is seen which requests are unbounded.
    pub(crate) sees_accounts: bool,
}

impl Context {
    fn seconds(&self) -> f64 {
        self.at_ns as f64 / 1e9
    }
}

/// What a rule says.
pub(crate) struct Said {
    statement: String,
    cause: &'static str,
    remedy: &'static str,
}

/// A rule, by its name.
struct Rule {
    name: &'static str,
    find: fn(&TraceProcess, &Context) -> Option<Said>,
}

/// All rules, the most important first.
const RULES: [Rule; 10] = [
    Rule { name: "limit-broken", find: limit::broken },
    Rule { name: "churn", find: churn::rule },
    Rule { name: "lingers", find: closed::lingers },
    Rule { name: "unbounded", find: unbounded::rule },
    Rule { name: "forced", find: forced::rule },
    Rule { name: "rings", find: rings::rule },
    Rule { name: "hashed", find: hashed::rule },
    Rule { name: "pinned", find: pinned::rule },
    Rule { name: "limit-reached", find: limit::reached },
    Rule { name: "left-after-close", find: closed::left },
];

/// What a trace shows: what each rule finds of each process.
#[must_use]
pub fn of(story: &Story) -> Vec<Finding> {
    let kernel = story.start.as_ref().map_or("", |start| start.host.kernel.as_str());
    let context = Context {
        at_ns: story.last.at_ns,
        release: release(kernel),
        is_lower_bound: story.is_lower_bound(),
        sees_accounts: story.start.as_ref().is_none_or(|start| start.tier == Tier::Bpf),
    };
    let found = RULES.iter().flat_map(|rule| {
        let processes = story.last.processes.iter();
        processes.filter_map(|process| finding(rule, process, &context))
    });
    found.collect()
}

fn finding(rule: &Rule, process: &TraceProcess, context: &Context) -> Option<Finding> {
    let said = (rule.find)(process, context)?;
    Some(Finding {
        rule: rule.name.to_owned(),
        pid: Some(process.pid),
        statement: format!("{}[{}]: {}", process.comm, process.pid, said.statement),
        cause: said.cause.to_owned(),
        remedy: said.remedy.to_owned(),
    })
}

/// The three parts of a release that `6.12.117-cloud #1 SMP` begins with.
fn release(kernel: &str) -> [u32; 3] {
    let digits = |part: &str| {
        let end = part.find(|char: char| !char.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().unwrap_or(0)
    };
    let mut parts = kernel.splitn(3, '.').map(digits);
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_as_far_as_it_goes() {
        assert_eq!(release("6.12.117-cloud #1 SMP"), [6, 12, 117]);
        assert_eq!(release("6.19-rc1"), [6, 19, 0]);
        assert_eq!(release("unknown"), [0, 0, 0]);
    }

    #[test]
    fn a_process_at_rest_has_no_findings() {
        let story = Story {
            last: iowq_contract::trace::Snapshot {
                processes: vec![TraceProcess::default()],
                ..Default::default()
            },
            ..Story::default()
        };
        assert!(of(&story).is_empty());
    }
}
