//! The built-in workloads: every one parses, says what it is, and is what its name promises.

use std::time::Duration;

use iowq_workloads::bucket::bucket;
use iowq_workloads::{Arrival, Length, OpKind, Plan, Stream, builtin, builtins};

fn plan(name: &str) -> Plan {
    builtin(name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_builtin_has_a_summary_and_an_origin_of_one_sentence() {
    let all = builtins().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all.len(), 36);
    for plan in all {
        assert!(plan.summary.ends_with('.'), "{}: {}", plan.name, plan.summary);
        assert!(plan.origin.ends_with('.'), "{}: {}", plan.name, plan.origin);
        assert!(plan.verify, "{}", plan.name);
    }
}

#[test]
fn every_spec_in_the_folder_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/specs");
    for entry in std::fs::read_dir(folder).expect("the folder of specs") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert_eq!(plan(name).name, name);
    }
}

#[test]
fn builtins_wait_250_ms_and_stock_variants_5_s_for_more_than_two_timeouts() {
    for plan in builtins().unwrap_or_else(|error| panic!("{error}")) {
        let stock = plan.name.ends_with("-stock");
        let idle_timeout = Duration::from_millis(if stock { 5000 } else { 250 });
        assert_eq!(plan.idle_timeout, idle_timeout, "{}", plan.name);
        assert_eq!(plan.limits, [if plan.name.starts_with("limit") { 8 } else { 64 }, 64]);
        if let (true, Length::Time(length)) = (stock, plan.length) {
            assert!(length > 2 * idle_timeout, "{}", plan.name);
        }
        if let Arrival::Bursts { gap, .. } = plan.arrival {
            assert!(gap > idle_timeout && gap < 2 * idle_timeout, "{}", plan.name);
        }
    }
}

#[test]
fn fsync_batch_is_fsync_mix_with_each_round_waited_for_as_a_whole() {
    let (batch, mix) = (plan("fsync-batch"), plan("fsync-mix"));
    let pause = Duration::from_millis(2);
    assert_eq!(batch.arrival, Arrival::Closed { pause, min_complete: batch.depth });
    let same = Plan {
        name: mix.name.clone(),
        summary: mix.summary.clone(),
        origin: mix.origin.clone(),
        arrival: mix.arrival,
        ..batch
    };
    assert_eq!(same, mix);
}

#[test]
fn fsync_mix_is_the_case_of_many_files_in_one_ring_with_short_pauses() {
    let plan = plan("fsync-mix");
    assert_eq!((plan.files, plan.depth, plan.block_bytes), (4, 16, 4096));
    let pause = Duration::from_millis(2);
    assert_eq!(plan.arrival, Arrival::Closed { pause, min_complete: 1 });
    assert_eq!(plan.length, Length::Time(Duration::from_secs(3)));
    let ops = Stream::new(&plan, 1).take(20).collect::<Vec<_>>();
    let fsyncs = ops.iter().filter(|op| op.kind == OpKind::Fsync).count();
    assert_eq!(fsyncs, 4);
    assert!(ops.iter().all(|op| !op.linked));
}

#[test]
fn files_of_collide_share_a_bucket_and_those_of_the_others_do_not() {
    for plan in builtins().unwrap_or_else(|error| panic!("{error}")) {
        let mut buckets: Vec<u32> = plan.hash_ids.iter().map(|id| bucket(*id)).collect();
        buckets.dedup();
        let distinct = if plan.name.starts_with("collide") { 1 } else { plan.files as usize };
        assert_eq!(buckets.len(), distinct, "{}", plan.name);
    }
}

#[test]
fn the_log_of_wal_is_appended_to_with_linked_fsyncs_and_its_pages_are_not() {
    let plan = plan("wal");
    assert_eq!((plan.files, plan.first_of_mix()), (5, 1));
    let ops: Vec<_> = Stream::new(&plan, 3).take(10_000).collect();
    let log: Vec<_> = ops.iter().filter(|op| op.file == 0).collect();
    for (append, pair) in log.chunks_exact(2).enumerate() {
        assert_eq!((pair[0].kind, pair[0].linked), (OpKind::Write, true));
        assert_eq!((pair[1].kind, pair[1].linked), (OpKind::Fsync, false));
        assert_eq!(pair[0].block, append as u64);
        assert_eq!(pair[1].number, pair[0].number + 1);
        assert_eq!(pair[1].intended_ns, pair[0].intended_ns);
    }
    assert!(ops.iter().filter(|op| op.file != 0).all(|op| op.kind == OpKind::Write && !op.linked));
    // One visit in five is the log's, and each is two ops: a third of all.
    assert!((3000..3700).contains(&log.len()), "{} of 10000 ops are the log's", log.len());
}

#[test]
fn an_unknown_name_is_answered_with_the_near_ones() {
    let error = builtin("fsink-mix").expect_err("no such workload");
    assert_eq!(
        error.to_string(),
        "--workload: found `fsink-mix`, which is no built-in workload (did you mean \
         `fsync-mix`?); see `bench --list`, or name a file that ends in .toml or .fio"
    );
    let error = builtin("bursts-stock-stock").expect_err("no such workload");
    assert!(error.to_string().contains("`bursts-stock`"), "{error}");
    assert!(builtin("xyz").is_err_and(|error| !error.to_string().contains("did you mean")));
}
