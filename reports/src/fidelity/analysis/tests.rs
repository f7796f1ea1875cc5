//! Fidelity: which preset is nearest, what is expected, and what is off.

use iowq_contract::Record;
use iowq_sample as sample;

use super::*;
use crate::fidelity::cell::Off;
use crate::fidelity::{dispatch_table, prose};
use crate::runs::group;

/// Workload, engine and policy, workers created, peak.
type Row = (&'static str, &'static str, u64, u32);

fn records(rows: &[Row]) -> Vec<Record> {
    let run = |(workload, policy, created, peak): &Row| {
        let mut record = match *policy {
            "kernel" => sample::kernel_run(workload, 0),
            policy => sample::run(workload, policy, 0),
        };
        record.host.kernel = "6.17.3".to_owned();
        record.workers.created.probe = Some(*created);
        record.workers.created.engine = None;
        record.workers.peak = Some(*peak);
        record
    };
    rows.iter().map(run).collect()
}

const ROWS: [Row; 9] = [
    // Presets differ, and the kernel does as 6.17.
    ("a", "6.12", 900, 64),
    ("a", "6.17", 9, 9),
    ("a", "kernel", 10, 9),
    // Presets differ, and the kernel does as 6.12, which no kernel of its release should.
    ("b", "6.12", 900, 64),
    ("b", "6.17", 9, 9),
    ("b", "kernel", 800, 64),
    // Presets do the same; 6.12 is nearer by one worker.
    ("c", "6.12", 4, 4),
    ("c", "6.17", 5, 4),
    ("c", "kernel", 4, 4),
];

#[test]
fn a_preset_is_right_where_the_kernel_does_as_it_does() {
    let records = records(&ROWS);
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("three workloads have both");
    assert_eq!(fidelity.cells.len(), 3);
    assert_eq!(fidelity.right(), Share { count: 1, of: 2 });
    assert_eq!(fidelity.peaks(), Share { count: 2, of: 3 });
    let off: Vec<(&str, Vec<Off>)> =
        fidelity.off().iter().map(|cell| (cell.workload, cell.off())).collect();
    assert_eq!(off, [("b", vec![Off::Nearest, Off::Births, Off::Peak])]);
    let ratio = fidelity.created_ratio().expect("the kernel created some in each");
    assert_eq!((ratio.least, ratio.median, ratio.most), (9.0 / 800.0, 0.9, 1.25));
}

#[test]
fn choosing_one_of_two_presets_that_do_the_same_is_no_error() {
    let records = records(&ROWS);
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("three workloads have both");
    let same = &fidelity.cells[2];
    assert_eq!((same.nearest().preset, same.expected.preset), ("6.12", "6.17"));
    assert!(same.right() && !same.presets_differ());
}

const SAME_RULES: [Row; 8] = [
    // Only exit-on-idle is unlike 6.17, which is chance.
    ("a", "6.16", 5, 5),
    ("a", "6.17", 5, 5),
    ("a", "exit-on-idle", 9, 9),
    ("a", "kernel", 9, 9),
    // 6.16 differs, and the kernel is as near to it as to exit-on-idle.
    ("b", "6.16", 9, 9),
    ("b", "6.17", 6, 6),
    ("b", "exit-on-idle", 9, 9),
    ("b", "kernel", 9, 9),
];

#[test]
fn a_preset_with_the_rules_of_the_expected_one_is_expected_as_well() {
    let records = records(&SAME_RULES);
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("two workloads have both");
    let [chance, differs] = fidelity.cells.as_slice() else { panic!("there are two") };
    assert!(!chance.presets_differ() && chance.right() && differs.presets_differ());
    assert!(differs.tied() && !chance.tied(), "6.16 is as near in one");
    for cell in [chance, differs] {
        assert_eq!((cell.nearest().preset, cell.expected.preset), ("exit-on-idle", "6.17"));
    }
    assert_eq!(fidelity.right(), Share { count: 1, of: 1 });
    let beside = fidelity.totals().pop().expect("three presets ran");
    assert_eq!((beside.preset, beside.expected, beside.stands_in), ("exit-on-idle", 0, 2));
    assert_eq!(beside.told_apart.of, 0);
    assert_eq!(differs.created_ratio(), Some(6.0 / 9.0));
}

#[test]
fn without_the_preset_that_ignores_the_limit_neither_differ_nor_nearest_knows_it() {
    let mut rows = ROWS.to_vec();
    // In b, which fails, it is the nearest; in c it alone differs.
    rows.extend(["a", "b", "c"].map(|workload| (workload, PAST_LIMIT, 800, 64)));
    let records = records(&rows);
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("three workloads have both");
    assert_eq!(fidelity.cells[1].nearest().preset, PAST_LIMIT);
    assert_eq!(fidelity.right(), Share { count: 2, of: 3 });
    assert_eq!(fidelity.right_within_limit(), Some(Share { count: 1, of: 2 }));
    let said = prose::figures(&fidelity).remove(0);
    assert!(said.starts_with("1 of 2 cells (50\u{a0}%) without 6.17-as-posted"), "{said}");
    let sections = group::sections(&records[..9]);
    let fidelity = Fidelity::of(&sections).expect("three workloads have both");
    assert_eq!(fidelity.right_within_limit(), None, "it did not run");
}

#[test]
fn one_run_per_arm_is_said_to_show_no_spread() {
    let mut records = records(&ROWS);
    let runs = |records: &[Record]| {
        let sections = group::sections(records);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        (fidelity.runs_least, prose::runs(&fidelity).starts_with("with one run per variant"))
    };
    assert_eq!(runs(&records), (1, true));
    records.extend(records.clone());
    assert_eq!(runs(&records), (2, false));
}

#[test]
fn presets_are_ranked_over_all_cells() {
    let records = records(&ROWS);
    let sections = group::sections(&records);
    let totals = Fidelity::of(&sections).expect("three workloads have both").totals();
    let row = |at: usize| {
        let totals: &PresetTotals<'_> = &totals[at];
        (totals.preset, totals.expected, totals.nearest, totals.nearest_where_differ)
    };
    assert_eq!([row(0), row(1)], [("6.12", 0, 2, 1), ("6.17", 3, 1, 1)]);
    assert_eq!(totals[0].told_apart, Share { count: 1, of: 2 });
    assert_eq!(totals[1].told_apart, Share { count: 0, of: 0 });
    let rho = totals[0].rho_created.expect("counts vary");
    assert!((rho - 0.866).abs() < 0.001, "{rho}");
}

#[test]
fn cells_that_cannot_be_judged_are_told_apart_with_the_reason() {
    let mut records = records(&ROWS);
    records[0].probe.events_lost = 1;
    records[4].error = Some("disk full".to_owned());
    records[8].host.kernel = "unknown".to_owned();
    let mut polled = sample::kernel_run("d", 0);
    polled.workers.created.probe = None;
    records.extend([sample::run("d", "6.12", 0), sample::run("d", "6.17", 0), polled]);
    records.push(sample::run("e", "6.12", 0));
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("three workloads have both");
    assert!(fidelity.cells.is_empty());
    let reasons: Vec<&str> = fidelity.apart.iter().map(|one| one.reason.as_str()).collect();
    let expected = [
        "events were lost under 6.12",
        "no run finished under 6.17",
        "the kernel's release is unknown",
        "no probe counted workers under io_uring",
        "io_uring did not run",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(fidelity.right().percent(), None);
    assert_eq!(fidelity.created_ratio(), None);
    assert!(fidelity.totals().iter().all(|one| one.rho_peak.is_none()));
}

#[test]
fn one_workload_or_a_pool_alone_is_no_grid() {
    let records = records(&ROWS);
    assert!(Fidelity::of(&group::sections(&records[..3])).is_none());
    let pool: Vec<Record> = sample::bench(1);
    assert!(Fidelity::of(&group::sections(&pool)).is_none());
}

/// A run of a cell, with how its writes were dispatched: inline and hashed.
fn dispatched(row: &Row, inline: u64, hashed: u64) -> Record {
    let mut record = records(std::slice::from_ref(row)).remove(0);
    record.dispatch.clear();
    let dispatch = iowq_contract::DispatchCounts { inline, hashed, ..Default::default() };
    record.dispatch.insert("write".to_owned(), dispatch);
    record
}

#[test]
fn births_agree_within_a_factor_or_three_workers_and_are_counted_group_by_group() {
    const CACHED: &str = "grid-reads-cached-f4-d8-s0-l64-buffered";
    const WRITES: &str = "grid-f4-d8-s0-l64-buffered";
    let records = [
        // Births three apart, peaks alike, and all went the same way but for one in a hundred.
        dispatched(&(WRITES, "kernel", 0, 1), 0, 100),
        dispatched(&(WRITES, "6.17", 3, 1), 1, 99),
        // Births a factor of 1.6 apart, and no op went the same way.
        dispatched(&(CACHED, "kernel", 10, 10), 100, 0),
        dispatched(&(CACHED, "6.17", 16, 10), 0, 100),
    ];
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("two workloads have both");
    let rows: Vec<[String; 6]> = prose::groups(&fidelity);
    let all = "1 of 1 (100\u{a0}%)";
    let none = "0 of 1 (0\u{a0}%)";
    let half = "1 of 2 (50\u{a0}%)";
    assert_eq!(rows[0], ["writes", "1", "n/a", all, all, all]);
    assert_eq!(rows[1], ["reads", "1", "n/a", none, all, none]);
    assert_eq!(rows[2], ["all", "2", "n/a", half, "2 of 2 (100\u{a0}%)", half]);
    let off = fidelity.off();
    assert_eq!(off.len(), 1);
    let said = prose::off(off[0]);
    let expected = format!(
        "{CACHED} (births, dispatch): io_uring created 10, peak 10; 6.17 created 16, peak 10; \
         write 100\u{a0}% inline against 100\u{a0}% hashed"
    );
    assert_eq!(said, expected);
    let rows = dispatch_table::rows(&fidelity.cells);
    let families: Vec<(&str, bool)> =
        rows.iter().map(|row| (row.family.as_str(), row.dispatch.agrees())).collect();
    assert_eq!(families, [("writes", true), ("reads, cached", false)]);
}

#[test]
fn where_rings_are_closed_all_along_only_one_of_the_two_is_expected() {
    let rows = |workload| {
        [(workload, "6.17", 5, 5), (workload, "exit-on-idle", 150, 5), (workload, "kernel", 5, 5)]
    };
    let reopen = "grid-reopen-c50-f2-d8-s4-l64-buffered";
    let mut records = records(&[rows(reopen), rows("other")].concat());
    for (kernel, right) in [("6.17.3", true), ("6.18.44", false)] {
        records.iter_mut().for_each(|record| record.host.kernel = kernel.to_owned());
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("two workloads have both");
        let [closes, other] = fidelity.cells.as_slice() else { panic!("there are two") };
        assert!(closes.presets_differ() && !other.presets_differ(), "{kernel}");
        assert_eq!(closes.right(), right, "{kernel}");
    }
}

#[test]
fn the_worst_cell_comes_first_and_one_with_a_wrong_nearest_preset_before_all() {
    let mut rows = ROWS.to_vec();
    // Farther off than b, but no preset differs.
    rows.extend([("d", "6.12", 1, 1), ("d", "6.17", 1, 1), ("d", "kernel", 4_000, 64)]);
    rows.extend([("e", "6.12", 1, 1), ("e", "6.17", 1, 1), ("e", "kernel", 9, 9)]);
    let records = records(&rows);
    let sections = group::sections(&records);
    let fidelity = Fidelity::of(&sections).expect("workloads have both");
    let off: Vec<&str> = fidelity.off().iter().map(|cell| cell.workload).collect();
    assert_eq!(off, ["b", "d", "e"]);
}
