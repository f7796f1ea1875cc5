//! Rounds: ops on blocks whose state the run itself had changed are counted.

use iowq_workloads::{Ledger, OpKind, Plan, Rounds, Stream};

/// The counts after `ops` ops on one file of 256 blocks, of which the first `warm_up` do not count.
fn rounds(files: &str, mix: &str, warm_up: usize, ops: usize) -> Rounds {
    let spec = format!("[files]\nsize_mib = 1\n{files}\n[mix]\n{mix}");
    let plan = Plan::parse("rounds", "rounds.toml", &spec).expect("a valid spec");
    let mut ledger = Ledger::new(&plan);
    for (place, op) in Stream::new(&plan, 1).take(warm_up + ops).enumerate() {
        if warm_up <= place {
            ledger.count(&op);
        }
        ledger.submitted(&op);
        ledger.completed(&op, true);
        assert!(matches!(op.kind, OpKind::Write | OpKind::Read | OpKind::Fallocate));
    }
    ledger.rounds()
}

#[test]
fn the_second_visit_of_a_block_counts_if_the_first_one_filled_it() {
    for state in ["fresh", "allocated"] {
        let files = format!("state = \"{state}\"");
        let once = Rounds { writes: 256, ..Rounds::default() };
        assert_eq!(rounds(&files, "write = 1", 0, 256), once);
        assert_eq!(
            rounds(&files, "write = 1", 0, 300),
            Rounds { writes: 300, writes_again: 44, ..Rounds::default() }
        );
    }
    let written = rounds("state = \"written\"", "write = 1", 0, 300);
    assert_eq!(written, Rounds { writes: 300, ..Rounds::default() }, "it is as it was");
}

#[test]
fn blocks_filled_by_the_warm_up_count_and_its_own_ops_do_not() {
    assert_eq!(
        rounds("", "write = 1", 200, 100),
        Rounds { writes: 100, writes_again: 44, ..Rounds::default() }
    );
}

#[test]
fn reads_count_once_the_run_has_brought_their_block_into_the_page_cache() {
    let read = "write = 0\nread = 1";
    let reads = |reads_again| Rounds { reads: 300, reads_again, ..Rounds::default() };
    assert_eq!(rounds("", read, 0, 300), reads(44));
    assert_eq!(rounds("state = \"written\"\ncached = true", read, 0, 300), reads(0));
    assert_eq!(rounds("open = \"direct\"", read, 0, 300), reads(0), "each asks the disk");
}

#[test]
fn a_write_to_what_was_reserved_meanwhile_finds_no_hole() {
    let mix = "write = 1\nfallocate = 1";
    assert!(rounds("state = \"fresh\"", mix, 0, 400).writes_again > 0);
    assert_eq!(rounds("", mix, 0, 400).writes_again, 0);
}
