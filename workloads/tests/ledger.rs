//! The ledger, case by case.

use iowq_workloads::{Expect, Ledger, Op, OpKind, Plan};

fn ledger() -> Ledger {
    Ledger::new(&Plan::parse("one", "one.toml", "").expect("the default plan"))
}

fn write(number: u64) -> Op {
    Op { number, kind: OpKind::Write, file: 0, block: 7, linked: false, intended_ns: 0 }
}

#[test]
fn a_block_nobody_wrote_is_untouched_and_so_is_one_that_does_not_exist() {
    assert_eq!(ledger().expect(0, 7), Expect::Untouched);
    assert_eq!(ledger().expect(9, u64::MAX), Expect::Untouched);
}

#[test]
fn a_write_in_flight_leaves_its_block_unknown() {
    let mut ledger = ledger();
    ledger.submitted(&write(0));
    assert_eq!(ledger.expect(0, 7), Expect::Unknown);
}

#[test]
fn the_last_of_several_writes_counts_when_they_did_not_overlap() {
    let mut ledger = ledger();
    for number in [0, 5, 9] {
        ledger.submitted(&write(number));
        ledger.completed(&write(number), true);
    }
    assert_eq!(ledger.expect(0, 7), Expect::Exactly(9));
}

#[test]
fn any_of_the_overlapping_writes_may_have_been_last() {
    let mut ledger = ledger();
    ledger.submitted(&write(3));
    ledger.submitted(&write(8));
    ledger.completed(&write(8), true);
    ledger.completed(&write(3), true);
    assert_eq!(ledger.expect(0, 7), Expect::OneOf(3, 8));
}

#[test]
fn a_failed_write_leaves_its_block_unknown_until_one_succeeds_alone() {
    let mut ledger = ledger();
    ledger.submitted(&write(1));
    ledger.completed(&write(1), false);
    assert_eq!(ledger.expect(0, 7), Expect::Unknown);
    ledger.submitted(&write(2));
    ledger.completed(&write(2), true);
    assert_eq!(ledger.expect(0, 7), Expect::Exactly(2));
}

#[test]
fn other_kinds_and_completions_out_of_nowhere_change_nothing() {
    let mut ledger = ledger();
    let read = Op { kind: OpKind::Read, ..write(1) };
    ledger.submitted(&read);
    ledger.completed(&read, false);
    ledger.completed(&write(1), true);
    assert_eq!(ledger.expect(0, 7), Expect::Untouched);
}
