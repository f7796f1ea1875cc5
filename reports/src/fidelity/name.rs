//! Names: what the name of a cell of the grid tells that its settings do not.

/// What a name begins with whose parts are the levels of a grid: `grid-f4-d64-s16-l8-buffered`, or
/// `grid-reads-cached-f4-d64-s0-l8-buffered`, with a group and a word.
const GRID: &str = "grid-";

/// The groups of the grid, in the order of pages.
const GROUPS: [&str; 11] = [
    WRITES,
    "reads",
    "direct",
    "fallocate",
    "forced",
    "linked",
    "limits",
    REOPEN,
    "cpu1",
    "sockets",
    "metadata",
];

/// The group whose names have no group.
const WRITES: &str = "writes";

/// The group of cells that close rings all along.
const REOPEN: &str = "reopen";

/// What the group of workloads is called that are not of the grid.
const OTHERS: &str = "no grid";

/// What is said of a level that a name does not tell.
const UNKNOWN: &str = "not known";

/// A name, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The group of cells.
    pub group: &'a str,
    /// What tells families of a group apart; may be empty.
    pub word: &'a str,
    /// Writes between two fsyncs.
    pub fsync: &'a str,
    /// How files are opened.
    pub open: &'a str,
}

impl<'a> Name<'a> {
    /// Of a workload. One that is not of the grid tells nothing.
    pub fn of(workload: &'a str) -> Self {
        let none = Self { group: OTHERS, word: "", fsync: UNKNOWN, open: UNKNOWN };
        Self::of_grid(workload).unwrap_or(none)
    }

    fn of_grid(workload: &'a str) -> Option<Self> {
        let rest = workload.strip_prefix(GRID)?;
        let is_shape =
            |part: &str| part.strip_prefix('f').is_some_and(|files| files.parse::<u32>().is_ok());
        let (before, shape) = match rest.split('-').position(is_shape)? {
            0 => ("", rest),
            words => rest.split_at(nth_dash(rest, words)?),
        };
        let mut parts = shape.trim_start_matches('-').splitn(5, '-');
        let fsync = parts.nth(2)?.strip_prefix('s')?;
        let open = parts.nth(1)?;
        let (group, word) = match before.split_once('-') {
            Some(both) => both,
            None if before.is_empty() => (WRITES, ""),
            None => (before, ""),
        };
        Some(Self { group, word, fsync, open })
    }

    /// Place of its group on pages; one that is not known comes last.
    pub fn place(&self) -> usize {
        GROUPS.iter().position(|group| *group == self.group).unwrap_or(GROUPS.len())
    }

    /// Whether it closes rings and opens new ones all along.
    pub fn closes_rings(&self) -> bool {
        self.group == REOPEN
    }

    /// Its group and word, without a word that says how long no ring is open: ops go the same way
    /// whatever that is.
    pub fn family(&self) -> String {
        if self.word.is_empty() || self.closes_rings() {
            self.group.to_owned()
        } else {
            format!("{}, {}", self.group, self.word)
        }
    }
}

/// Where the n-th dash is.
fn nth_dash(text: &str, n: usize) -> Option<usize> {
    text.match_indices('-').nth(n.checked_sub(1)?).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(workload: &str) -> (&str, &str, &str, &str) {
        let Name { group, word, fsync, open } = Name::of(workload);
        (group, word, fsync, open)
    }

    #[test]
    fn names_of_a_grid_are_read_with_and_without_a_group() {
        assert_eq!(of("grid-f4-d64-s16-l8-buffered"), ("writes", "", "16", "buffered"));
        assert_eq!(of("grid-f4-d64-s0-l8-direct-dsync"), ("writes", "", "0", "direct-dsync"));
        assert_eq!(of("grid-linked-f4-d8-s1-l8-dsync"), ("linked", "", "1", "dsync"));
        assert_eq!(of("grid-limits-f4-d8-s1-lkernel-dsync"), ("limits", "", "1", "dsync"));
        assert_eq!(of("grid-reads-cached-f4-d8-s0-l8-direct"), ("reads", "cached", "0", "direct"));
        assert_eq!(of("grid-a-b-c-f4-d8-s0-l8-direct"), ("a", "b-c", "0", "direct"));
    }

    #[test]
    fn other_names_tell_nothing() {
        let others = ["fsync-mix", "grid-", "grid-f4-d64-x16-l8-buffered", "grid-f4-d64-s16-l8"];
        for other in others.into_iter().chain(["grid-fx-d1-s1-l1-direct", "grid--f", ""]) {
            assert_eq!(Name::of(other).group, OTHERS, "{other}");
            assert_eq!(Name::of(other).place(), GROUPS.len());
        }
    }

    #[test]
    fn a_family_is_a_group_with_its_word_and_rings_of_all_gaps_are_one() {
        assert_eq!(Name::of("grid-f1-d8-s0-l2-dsync").family(), "writes");
        assert_eq!(Name::of("grid-reads-cached-f1-d8-s0-l2-direct").family(), "reads, cached");
        let reopen = Name::of("grid-reopen-c10-f1-d8-s1-l2-buffered");
        assert_eq!((reopen.family().as_str(), reopen.closes_rings()), ("reopen", true));
    }
}
