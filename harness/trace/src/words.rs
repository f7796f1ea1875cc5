//! Counts with their nouns.

/// `1 ring`, `3 rings`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if noun.ends_with("ss") { "es" } else { "s" };
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}{plural}") }
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
