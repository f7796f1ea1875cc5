//! fio job files: what is taken over, what is ignored, and how each mistake is answered.

use std::time::Duration;

use iowq_workloads::limits::SPEC_BYTES_MAX;
use iowq_workloads::{Arrival, FileState, Length, OpKind, Open, Order, Plan, Stream};
use proptest::prelude::*;

const JOB: &str = "[job]\nioengine=io_uring\nrw=write\nsize=1m\n";

fn plan(text: &str) -> Plan {
    Plan::parse_fio("mine", "mine.fio", text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The plan of a job of writes with these lines besides.
fn with(lines: &str) -> Plan {
    plan(&format!("{JOB}{lines}"))
}

/// The answer to a job of writes with these lines besides, which start at line 5.
fn answer_with(lines: &str) -> String {
    answer(&format!("{JOB}{lines}"))
}

fn answer(text: &str) -> String {
    match Plan::parse_fio("mine", "mine.fio", text) {
        Ok(plan) => format!("accepted {}", plan.name),
        Err(error) => error.to_string(),
    }
}

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
        (include_str!("../fio/writes-fsync.fio"), 32),
        (include_str!("../fio/writes-dsync.fio"), 32),
        (include_str!("../fio/reads-async.fio"), 32),
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
fn what_is_no_ordinary_file_is_refused() {
    for name in ["/dev/nvme0n1", "a:/dev/sdb", "-", "a:-"] {
        assert_eq!(
            answer_with(&format!("filename={name}")),
            format!(
                "mine.fio:5: filename: found `{name}`, allowed names of ordinary files, which are \
                 made for the run in a folder of its own: no device, pipe or terminal is written to"
            )
        );
    }
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
        ("fallocate=keep", Allocated, false),
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
fn an_option_that_is_off_in_fio_too_is_accepted() {
    let plan = with("numjobs=1\nverify=0\nverify=none\nthinktime=0\nrandom_distribution=random\n");
    assert_eq!(
        plan.summary,
        "fio job [job]. Ignored: numjobs, verify, thinktime, random_distribution."
    );
}

#[test]
fn an_option_that_is_not_carried_out_is_refused_by_name() {
    assert_eq!(
        answer_with("numjobs=4"),
        "mine.fio:5: numjobs: found `4`, allowed nothing: a workload is one stream of ops; remove \
         it, and run several workloads side by side"
    );
    assert_eq!(
        answer_with("\nverify=crc32c"),
        "mine.fio:6: verify: found `crc32c`, allowed nothing: what was written is read back and \
         compared after the run in any case; remove it"
    );
    let advice = "allowed nothing: files lie in a folder of the run's own, and are made for it; \
                  remove it";
    assert!(answer_with("opendir=/tmp").ends_with(advice));
    assert!(answer_with("hipri").starts_with("mine.fio:5: hipri: found it, allowed nothing: as"));
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest() {
    let answer = answer_with("iodeth=4");
    let start = "mine.fio:5: found unknown option `iodeth` (did you mean `iodepth`";
    assert!(answer.starts_with(start), "{answer}");
    assert!(answer.contains("; taken are: buffered, bs, direct, "), "{answer}");
    assert!(answer_with("include other.fio").contains("unknown option `include other.fio`"));
}

#[test]
fn a_file_is_one_job_below_its_globals() {
    assert_eq!(
        answer("[global]\nbs=4k\n"),
        "mine.fio:2:1: found no job, allowed one: a section with a name of its own, such as [job]"
    );
    assert_eq!(
        answer("[a]\n[b]"),
        "mine.fio:2:1: found a second job, [b] after [a], allowed one: a workload is one stream of \
         ops; put each job in a file of its own"
    );
    assert_eq!(
        answer("[a]\n[global]"),
        "mine.fio:2:1: found [global] below the job [a], for which it does not hold; move its \
         options above the job"
    );
    for section in ["Global", "GLOBAL", "globals", "global-writes"] {
        assert_eq!(
            answer(&format!("[{section}]\nbs=4k\n[a]")),
            format!(
                "mine.fio:1:1: found [{section}], which fio does not read as a section; \
                 allowed [global], or a job's name that starts otherwise"
            )
        );
    }
    assert_eq!(
        answer("bs=4k\n[a]"),
        "mine.fio:1:1: found `bs=4k` above all sections, allowed below [global]"
    );
    assert_eq!(answer("[a\n"), "mine.fio:1:1: found `[a`, allowed [global] or [a job's name]");
}

#[test]
fn what_is_missing_is_named_at_the_job() {
    assert_eq!(
        answer("\n[a]\n"),
        "mine.fio:2: ioengine: found nothing, allowed io_uring, whose workers are \
         measured"
    );
    assert_eq!(
        answer("[a]\nioengine=io_uring\n"),
        "mine.fio:1: size: found nothing, allowed the bytes of all files together, such as 64m"
    );
    assert_eq!(
        answer_with("fsync"),
        "mine.fio:5: fsync: found no value, allowed a whole number, also with k, m, g or t (of \
         1024), or kib, mib, gib or tib (of 1000, as fio has it)"
    );
}

#[test]
fn a_value_outside_its_limits_is_refused() {
    for (line, allowed) in [
        ("ioengine=libaio", "io_uring, whose"),
        ("rw=trim", "write, randwrite, read, randread, rw, readwrite or randrw"),
        ("rw=write:8", "write, randwrite, read, randread, rw, readwrite or randrw"),
        ("bs=3000", "one power of two from 512 to 1048576, for reads and writes"),
        ("bs=4k,8k", "a whole number"),
        ("bs= 4k", "a whole number"),
        ("size=50%", "a whole number"),
        ("size=4095", "4096 to 274877906944 bytes for each of 1 files"),
        ("size=1t", "4096 to 274877906944 bytes for each of 1 files"),
        ("filesize=1m-2m", "a whole number"),
        ("nrfiles=513", "1 to 512"),
        ("iodepth=0", "1 to 4096"),
        ("force_async=2", "0 to 1"),
        ("fsync=1000001", "0 to 1000000"),
        ("rwmixread=101", "0 to 100"),
        ("rate_iops=10m", "1 to 10000000, the fsyncs among them"),
        ("rate_process=thing", "linear or poisson"),
        ("ramp_time=2h", "0 to 3600 seconds"),
        ("ramp_time=2min", "a whole number of seconds, or with us, ms, s, m, h or d"),
        ("filename=:", "1 to 512 names with colons between, each once"),
        ("filename", "1 to 512 names"),
        ("filename=a:b:a", "1 to 512 names"),
        ("runtime=5ms", "0.01 seconds or more"),
        ("sync=yes", "none, 0, dsync, sync or 1"),
        ("time_based", "nothing without a runtime; add one, such as 30s"),
        ("direct=yes", "0 or 1"),
    ] {
        let answer = answer_with(line);
        let name = line.split('=').next().unwrap_or(line);
        assert!(answer.starts_with(&format!("mine.fio:5: {name}: found ")), "{line}: {answer}");
        assert!(answer.contains(&format!(", allowed {allowed}")), "{line}: {answer}");
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    assert_eq!(
        answer_with("fsync=1\nfdatasync=2"),
        "mine.fio:6: fdatasync: found `2`, allowed 0 beside fsync, or fsync=0"
    );
    assert_eq!(
        answer_with("iodepth=4096\nbs=1m"),
        "mine.fio:5: iodepth: found `4096`, allowed 1024 at most with blocks of 1048576 bytes"
    );
    assert!(answer_with("rw=rw\nrate_iops=5").contains("allowed nothing in a mix"));
}

#[test]
fn a_file_that_is_far_too_long_is_refused() {
    let answer = answer(&"#".repeat(SPEC_BYTES_MAX as usize + 1));
    assert!(answer.contains("found 65537 bytes, allowed 65536 at most"), "{answer}");
}

/// Lines that are nearly options, so that more than the first line is reached.
fn lines() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "rw",
        "bs",
        "size",
        "filesize",
        "io_size",
        "iodepth",
        "nrfiles",
        "fsync",
        "fdatasync",
        "filename",
        "rate_iops",
        "rate_process",
        "runtime",
        "time_based",
        "ramp_time",
        "rwmixread",
        "rwmixwrite",
        "direct",
        "sync",
        "force_async",
        "randseed",
        "numjobs",
        "name",
    ]);
    let values = prop::sample::select(vec![
        "",
        "=",
        "=0",
        "=1",
        "=2",
        "=7",
        "=4k",
        "=1m",
        "=3g",
        "=18446744073709551615",
        "=16777215t",
        "=rw",
        "=randrw",
        "=write",
        "=dsync",
        "=sync",
        "=a:b",
        "=poisson",
        "=1h",
        "=ä",
        "=0x",
        "=-1",
        "=99",
    ]);
    prop::collection::vec(
        (names, values).prop_map(|(name, value)| format!("{name}{value}\n")),
        0..12,
    )
    .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC*|(\\[|\\]|=|;|#|\n|[a-z0-9 ])*") {
        let _ = Plan::parse_fio("mine", "mine.fio", &text);
    }

    #[test]
    fn any_options_are_answered_and_a_plan_has_ops(lines in lines()) {
        if let Ok(plan) = Plan::parse_fio("mine", "mine.fio", &format!("{JOB}{lines}")) {
            prop_assert_eq!(plan.open.len(), plan.files as usize);
            prop_assert_eq!(plan.hash_ids.len(), plan.files as usize);
            prop_assert!(plan.mix.write + plan.mix.read > 0);
            if plan.file_blocks < 1 << 16 && plan.files < 8 {
                let ops: Vec<_> = Stream::new(&plan, 1).take(50).collect();
                prop_assert!(ops.iter().all(|op| op.block < plan.file_blocks));
            }
        }
    }
}
