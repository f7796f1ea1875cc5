//! Checks that a run raises by its files: what was in them, where they were read back from, and
//! how quiet their disk was.

use iowq_contract::{Caveat, Code, Settled};
use iowq_workloads::{FileState, OpKind, Plan, Rounds};

use super::check::Check;
use crate::files::Source;

/// What is doubted before anything is read back.
pub(super) fn checks(plan: &Plan, rounds: Rounds, settled: &Settled) -> [Check; 3] {
    let reads = |plan: &&Plan| plan.kinds().any(|kind| kind == OpKind::Read);
    let state = |plan: &Plan| plan.state.last().copied().unwrap_or(FileState::Allocated);
    let mut states = plan.streams().filter(reads).map(state);
    let unwritten = states.find(|state| *state != FileState::Written);
    let state = unwritten.unwrap_or(FileState::Written);
    // Blocks that are read more often than others are meant to be in memory.
    let by_intent = plan.streams().filter(reads).all(|plan| plan.mix.order.is_skewed());
    let reads_again = if by_intent { 0 } else { rounds.reads_again };
    let rounds = Rounds { reads_again, ..rounds };
    let on_files = plan.streams().any(|plan| plan.sockets.is_none());
    [
        (
            unwritten.is_some(),
            Code::ReadsUnwritten,
            format!(
                "Blocks that no op had written were read, and the files were {} before: the file \
                 system makes up zeros for them and asks no disk. Without `files.state` reads have \
                 data to find.",
                state.name()
            ),
        ),
        (rounds.writes_again + rounds.reads_again > 0, Code::BlocksCameRound, came_round(rounds)),
        (on_files && !settled.quiet, Code::NotSettled, not_settled(settled)),
    ]
}

/// What is doubted of data that was read back, from there.
pub(in crate::run) fn of_verifying(from: Source) -> Option<Caveat> {
    let text = "What was written was read back from the page cache, because the file system takes no \
                direct reads or is in memory: whether it reached a device was not seen.";
    (from == Source::PageCache).then(|| Caveat { code: Code::VerifyCached, text: text.to_owned() })
}

/// That nothing was read back, and why.
pub(crate) fn not_verified(why: &str) -> Caveat {
    let text = format!(
        "What was written was not read back and compared, because {why}. The figures are whole."
    );
    Caveat { code: Code::NotVerified, text }
}

fn came_round(rounds: Rounds) -> String {
    let Rounds { writes, writes_again, reads, reads_again } = rounds;
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    let mut parts = Vec::new();
    if writes_again > 0 {
        parts.push(format!(
            "{writes_again} of {writes} writes ({:.0} %) went to blocks that the run itself had \
             filled before",
            percent(writes_again, writes)
        ));
    }
    if reads_again > 0 {
        parts.push(format!(
            "{reads_again} of {reads} reads ({:.0} %) were of blocks that the run itself had written \
             or read into memory before",
            percent(reads_again, reads)
        ));
    }
    format!(
        "{}: that is other work than the first visit of a block, and the faster a run is, the more \
         of it it has. Larger files (`files.size_mib`) or shorter runs avoid it{}.",
        parts.join(", and "),
        if writes_again > 0 { ", or `files.state = \"written\"`" } else { "" }
    )
}

fn not_settled(settled: &Settled) -> String {
    let mib = |bytes: Option<u64>| {
        bytes.map_or_else(|| "an unknown part".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
    };
    format!(
        "The disk was still busy when the run began, after {:.0} s of waiting: {} dirty and {} being \
         written on the whole machine, {} requests in flight. Something else used it, perhaps also \
         during the run.",
        settled.took_ns as f64 / 1e9,
        mib(settled.dirty_bytes),
        mib(settled.written_back_bytes),
        settled.in_flight.unwrap_or(0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(spec: &str, rounds: Rounds) -> Vec<Code> {
        let plan = Plan::parse("x", "x.toml", spec).expect("a valid spec");
        let settled = Settled { quiet: true, ..Settled::default() };
        let checks = checks(&plan, rounds, &settled);
        checks.into_iter().filter_map(|(holds, code, _)| holds.then_some(code)).collect()
    }

    #[test]
    fn reads_of_unwritten_blocks_have_a_caveat_and_reads_of_data_have_none() {
        assert!(codes("[mix]\nread = 1", Rounds::default()).is_empty());
        assert!(codes("[files]\nstate = \"allocated\"", Rounds::default()).is_empty());
        for state in ["allocated", "fresh"] {
            let spec = format!("[files]\nstate = \"{state}\"\n[mix]\nread = 1");
            assert_eq!(codes(&spec, Rounds::default()), [Code::ReadsUnwritten]);
        }
    }

    #[test]
    fn a_run_that_comes_round_says_how_often() {
        let rounds = Rounds { writes: 200, writes_again: 50, reads: 9, reads_again: 0 };
        assert_eq!(codes("", rounds), [Code::BlocksCameRound]);
        let text = came_round(rounds);
        assert!(text.starts_with("50 of 200 writes (25 %) went to blocks that"), "{text}");
        let both = came_round(Rounds { reads_again: 9, ..rounds });
        assert!(both.contains(" before, and 9 of 9 reads (100 %) were of"), "{both}");
    }

    #[test]
    fn blocks_that_are_read_often_by_intent_are_no_doubt_but_first_writes_beside_others_are() {
        let zipf = "[files]\norder = \"zipf:1.1\"\n[mix]\nread = 1";
        let rounds = Rounds { reads: 9, reads_again: 8, ..Rounds::default() };
        assert!(codes(zipf, rounds).is_empty());
        assert_eq!(codes("[mix]\nread = 1", rounds), [Code::BlocksCameRound]);
        let rounds = Rounds { writes: 9, writes_again: 8, ..rounds };
        assert_eq!(codes(zipf, rounds), [Code::BlocksCameRound]);
        let text = came_round(rounds);
        assert!(text.contains("or `files.state = \"written\"`"), "{text}");
    }

    #[test]
    fn a_disk_that_stayed_busy_is_described() {
        let settled = Settled {
            took_ns: 10_000_000_000,
            dirty_bytes: Some(300 << 20),
            in_flight: Some(7),
            ..Settled::default()
        };
        let text = not_settled(&settled);
        let wanted = "after 10 s of waiting: 300 MiB dirty and an unknown part being written on the \
                      whole machine, 7 requests in flight";
        assert!(text.contains(wanted), "{text}");
    }
}
