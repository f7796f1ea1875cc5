//! Counts with their nouns, and other words that several texts have.

use iowq_contract::Tier;

/// `1 ring`, `3 rings`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if noun.ends_with("ss") { "es" } else { "s" };
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}{plural}") }
}

/// How a trace is watched, as people call it.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Bpf => "bpf",
        Tier::Tracefs => "tracefs",
        Tier::Proc => "proc",
        Tier::Off => "off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_else_plural() {
        let all = [(0, "ring"), (1, "ring"), (2, "process")];
        let texts = all.map(|(count, noun)| counted(count, noun));
        assert_eq!(texts, ["0 rings", "1 ring", "2 processes"]);
    }
}
