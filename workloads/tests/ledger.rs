//! The ledger, case by case.

use iowq_workloads::{Expect, Ledger, Op, OpKind, Plan};

fn ledger() -> Ledger {
    Ledger::new(&Plan::parse("one", "one.toml", "").expect("the default plan"))
}

fn write(number: u64) -> Op {
    Op { number, kind: OpKind::Write, file: 0, block: 7, blocks: 1, linked: false, intended_ns: 0 }
}

#[test]
fn a_block_that_was_not_written_or_does_not_exist_is_untouched() {
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
fn what_was_overwritten_for_certain_leaves_a_block_that_always_has_a_write_in_flight() {
    let mut ledger = ledger();
    ledger.submitted(&write(0));
    for number in 1..1000 {
        ledger.submitted(&write(number));
        ledger.completed(&write(number - 1), true);
    }
    ledger.completed(&write(999), true);
    match ledger.expect(0, 7) {
        Expect::OneOf(first, last) => assert!(995 <= first && last == 999, "from {first}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_that_is_late_may_be_the_last_until_it_is_done() {
    let mut ledger = ledger();
    ledger.submitted(&write(0));
    for number in 1..100 {
        ledger.submitted(&write(number));
        ledger.completed(&write(number), true);
    }
    assert_eq!(ledger.expect(0, 7), Expect::Unknown);
    ledger.completed(&write(0), true);
    assert_eq!(ledger.expect(0, 7), Expect::OneOf(0, 99));
}

#[test]
fn a_write_that_failed_has_overwritten_nothing() {
    let mut ledger = ledger();
    ledger.submitted(&write(0));
    for number in 1..10 {
        ledger.submitted(&write(number));
        ledger.completed(&write(number - 1), number == 1);
    }
    ledger.completed(&write(9), true);
    assert_eq!(ledger.expect(0, 7), Expect::Unknown);
}

#[test]
fn an_op_of_several_blocks_counts_for_each_of_them_and_one_beyond_the_end_for_none() {
    let mut ledger = ledger();
    let large = Op { blocks: 3, ..write(5) };
    ledger.submitted(&large);
    ledger.submitted(&write(6));
    ledger.completed(&large, true);
    ledger.completed(&write(6), true);
    let expected = [Expect::Untouched, Expect::OneOf(5, 6), Expect::Exactly(5), Expect::Exactly(5)];
    assert_eq!([6, 7, 8, 9].map(|block| ledger.expect(0, block)), expected);
    let beyond = Op { block: 4095, blocks: 2, ..write(7) };
    ledger.submitted(&beyond);
    ledger.completed(&beyond, true);
    assert_eq!(ledger.expect(0, 4095), Expect::Untouched);
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

fn fsync(number: u64) -> Op {
    Op { kind: OpKind::Fsync, ..write(number) }
}

/// Submits and ends these ops in turn: true submits, false ends it.
fn after(open: &str, steps: &[(Op, bool)]) -> Option<bool> {
    let spec = format!("[files]\nopen = \"{open}\"");
    let mut ledger = Ledger::new(&Plan::parse("one", "one.toml", &spec).expect("a valid spec"));
    for (op, starts) in steps {
        if *starts { ledger.submitted(op) } else { ledger.completed(op, true) }
    }
    ledger.promised(0, 7)
}

#[test]
fn a_write_is_promised_by_an_fsync_that_began_after_it_was_done() {
    let (one, sync) = (write(0), fsync(1));
    let after = |steps: &[(Op, bool)]| after("buffered", steps);
    assert_eq!(after(&[]), None);
    assert_eq!(after(&[(one, true), (one, false)]), Some(false));
    assert_eq!(after(&[(one, true), (one, false), (sync, true)]), Some(false));
    let in_turn = [(one, true), (one, false), (sync, true), (sync, false)];
    assert_eq!(after(&in_turn), Some(true));
    let beside = [(one, true), (sync, true), (one, false), (sync, false)];
    assert_eq!(after(&beside), Some(false), "it may have missed the write");
    let again = (write(2), fsync(3));
    let later = [(again.0, true), (again.0, false)];
    assert_eq!(after(&[&in_turn[..], &later].concat()), Some(false), "the new data is not");
    let synced = [(again.1, true), (again.1, false)];
    assert_eq!(after(&[&in_turn[..], &later, &synced].concat()), Some(true));
}

#[test]
fn a_linked_fsync_covers_the_write_before_it_and_a_synchronous_write_itself() {
    let (linked, sync) = (Op { linked: true, ..write(0) }, fsync(1));
    let pair = [(linked, true), (sync, true), (linked, false), (sync, false)];
    assert_eq!(after("buffered", &pair), Some(true));
    for (open, promised) in [("dsync", true), ("sync", true), ("direct", false)] {
        assert_eq!(after(open, &[(write(0), true), (write(0), false)]), Some(promised), "{open}");
    }
}

#[test]
fn nothing_is_promised_if_an_fsync_failed() {
    let mut ledger = ledger();
    ledger.submitted(&write(0));
    ledger.completed(&write(0), true);
    for (number, ok) in [(1, false), (2, true)] {
        ledger.submitted(&fsync(number));
        ledger.completed(&fsync(number), ok);
    }
    assert_eq!(ledger.promised(0, 7), Some(false), "an error is reported once");
}
