//! Options that are taken over, and what each comes to.

use std::time::Duration;

use iowq_workloads::{Arrival, FileState, Length, OpKind, Open, Order, Stream};

use super::{JOB, answer_with, plan, with};

#[test]
fn a_whole_job_file_becomes_a_plan() {
    let plan = plan(
        "# a comment\n[global]\nioengine=io_uring ; the only one\nbs=8k\nsize=64m\ndirect=1\n\n\
         [mine too]\n  readwrite=randrw\nbs=16k\nrwmixread=70\nnrfiles=4\niodepth=32\nfdatasync=8\n\
         runtime=2m\ntime_based\nramp_time=500ms\nforce_async=1\nrandseed=7\ngroup_reporting\n",
    );
    assert_eq!((plan.name.as_str(), plan.files, plan.file_blocks), ("mine", 4, 1024));
    assert_eq!((plan.block_bytes, plan.depth, plan.seed), (16 * 1024, 32, 7));
    assert_eq!((plan.mix.read, plan.mix.write, plan.mix.order), (70, 30, Order::Random));
    assert_eq!((plan.mix.writes_per_fsync, plan.mix.data_only, plan.mix.linked), (8, true, false));
    assert_eq!(plan.open, [Open::Direct; 4]);
    assert_eq!(plan.length, Length::Time(Duration::from_secs(120)));
    assert_eq!(plan.warmup, Duration::from_millis(500));
    assert_eq!(plan.arrival, Arrival::Closed { pause: Duration::ZERO, min_complete: 1 });
    assert!(plan.force_async && plan.kernel_limits && plan.verify);
    assert_eq!(plan.idle_timeout, Duration::from_secs(5));
    assert!(plan.summary.contains("Ignored: group_reporting."), "{}", plan.summary);
    assert_eq!(plan.origin, "Job [mine too] of the fio job file mine.fio.");
}

#[test]
fn the_jobs_of_the_comparison_are_valid() {
    for (text, depth) in [
        (include_str!("../../fio/writes-fsync.fio"), 32),
        (include_str!("../../fio/writes-dsync.fio"), 32),
        (include_str!("../../fio/reads-async.fio"), 32),
    ] {
        assert_eq!(plan(text).depth, depth);
    }
}

#[test]
fn a_job_without_a_time_ends_after_as_many_reads_and_writes_as_fio() {
    for (lines, blocks) in [
        ("", 256),
        ("fsync=4", 256),
        ("nrfiles=3\nfsync=5", 255),
        ("io_size=2m\nfsync=3", 512),
        ("filesize=64k\nnrfiles=2", 32),
        ("filesize=1m\nnrfiles=4", 256),
        ("filesize=64k\nnrfiles=2\nio_size=1m", 256),
        ("filename=a:b:c", 255),
    ] {
        let plan = with(lines);
        let Length::Ops(ops) = plan.length else { panic!("{lines}: {:?}", plan.length) };
        let ops = Stream::new(&plan, 1).take(ops as usize);
        let writes = ops.filter(|op| op.kind == OpKind::Write).count();
        assert_eq!(writes, blocks, "{lines}");
    }
}

#[test]
fn a_job_with_a_size_and_a_time_ends_at_the_first_of_the_two() {
    let time = Duration::from_secs(30);
    assert_eq!(with("runtime=30").length, Length::Either { ops: 256, time });
    assert_eq!(with("runtime=30\nfsync=4").length, Length::Either { ops: 256 + 64, time });
    assert_eq!(with("runtime=30\ntime_based=1").length, Length::Time(time));
    assert_eq!(with("runtime=0").length, Length::Ops(256));
}

#[test]
fn there_are_as_many_files_as_names_regardless_of_nrfiles() {
    assert_eq!(with("nrfiles=4").files, 4);
    for (lines, files) in [
        ("filename=f", 1),
        ("filename=f\nnrfiles=4", 1),
        ("nrfiles=4\nfilename=a:b", 2),
        ("filename=a::b:", 2),
        ("filename=/mnt/a\\:b", 1),
        ("filename=a:b\nfilename=c", 3),
    ] {
        let plan = with(lines);
        assert_eq!((plan.files, plan.file_blocks), (files, 256 / u64::from(files)), "{lines}");
    }
    let globals = plan(&format!("[global]\nfilename=a:b\n{JOB}filename=c"));
    assert_eq!(globals.files, 3);
    assert_eq!(
        with("filename=a\nnrfiles=2").summary,
        "fio job [job]. There is a file for each name in filename; the names are not used, nor is \
         nrfiles, as in fio."
    );
}

#[test]
fn a_rate_is_that_of_reads_and_writes_and_fsyncs_come_on_top() {
    assert_eq!(with("rate_iops=100").arrival, Arrival::Rate { per_s: 100.0 });
    assert_eq!(with("rate_iops=100\nfsync=2").arrival, Arrival::Rate { per_s: 150.0 });
    let poisson = with("rate_iops=1k\nrate_process=poisson").arrival;
    assert_eq!(poisson, Arrival::Poisson { per_s: 1024.0 });
}

#[test]
fn the_later_of_two_options_that_say_the_same_holds() {
    assert_eq!(with("bs=8k\nblocksize=16k").block_bytes, 16 * 1024);
    assert_eq!(with("direct=1\nbuffered=1").open, [Open::Buffered]);
    assert_eq!(with("buffered=1\ndirect=1").open, [Open::Direct]);
    let few = with("rw=randrw\nsize=256k\nbs=4k\nfsync=1");
    assert_eq!(few.length, Length::Ops(64 + 32), "an fsync after each of half of them");
    let mix = with("rw=rw\nrwmixread=90\nrwmixwrite=40").mix;
    assert_eq!((mix.read, mix.write), (60, 40));
}

#[test]
fn dsync_and_sync_are_taken_over_but_not_beside_direct() {
    assert_eq!(with("sync=dsync").open, [Open::Dsync]);
    assert_eq!(with("sync=none").open, [Open::Buffered]);
    assert_eq!(with("sync=1").open, [Open::Sync]);
    assert_eq!(with("sync=sync").open, [Open::Sync]);
    for sync in ["dsync", "sync", "1"] {
        assert_eq!(
            answer_with(&format!("sync={sync}\ndirect=1")),
            format!("mine.fio:5: sync: found `{sync}`, allowed none beside direct=1, or direct=0")
        );
    }
}

#[test]
fn a_job_that_only_reads_has_no_fsync_and_no_sync() {
    let plan = with("rw=randread\nfsync=4\nsync=1");
    assert_eq!((plan.mix.writes_per_fsync, plan.mix.write), (0, 0));
    assert_eq!(plan.open, [Open::Buffered]);
    assert_eq!((plan.state, plan.cached), (vec![FileState::Written], false));
}

#[test]
fn files_are_laid_out_as_fio_does_it() {
    use FileState::{Allocated, Fresh, Written};
    for (lines, state, cached) in [
        ("", Allocated, false),
        ("fallocate=native", Allocated, false),
        ("fallocate=posix", Allocated, false),
        ("fallocate=1", Allocated, false),
        ("fallocate=keep", Fresh, false),
        ("rw=randwrite\nfallocate=keep", Allocated, false),
        ("fallocate=none", Fresh, false),
        ("fallocate=0", Fresh, false),
        ("fallocate=truncate", Fresh, false),
        ("overwrite=1", Written, false),
        ("overwrite", Written, false),
        ("overwrite=0\nfallocate=none", Fresh, false),
        ("rw=randrw\nfallocate=none", Written, false),
        ("rw=read\ninvalidate=1", Written, false),
        ("rw=read\ninvalidate=0", Written, true),
        ("rw=read\ninvalidate=0\ndirect=1", Written, false),
        ("invalidate=0", Allocated, false),
        ("create_on_open=1", Fresh, false),
        ("rw=read\npre_read=1", Written, true),
    ] {
        let plan = with(lines);
        assert_eq!((&plan.state[..], plan.cached), (&[state][..], cached), "{lines}");
        assert_eq!(plan.summary, "fio job [job].", "nothing of it is ignored");
    }
    assert_eq!(
        answer_with("fallocate=yes"),
        "mine.fio:5: fallocate: found `yes`, allowed none, native, posix, keep, truncate, 0 or 1"
    );
}

#[test]
fn blocks_may_be_chosen_by_skew_and_have_any_size() {
    let of = |text: &str| with(text).mix.order;
    assert_eq!(of("rw=randread\nrandom_distribution=zipf:1.2"), Order::Zipf { theta: 1.2 });
    assert_eq!(of("rw=randread\nrandom_distribution=zipf"), Order::Zipf { theta: 1.1 });
    assert_eq!(of("rw=randwrite\nrandom_distribution=pareto:0.3"), Order::Pareto { h: 0.3 });
    let odd = with("bs=12345\nsize=1m");
    assert_eq!((odd.block_bytes, odd.file_blocks), (12345, 1024 * 1024 / 12345));
    assert!(answer_with("direct=1\nbs=3000").contains("allowed a multiple of 512 with direct=1"));
}
