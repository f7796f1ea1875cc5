//! What is refused, and how each mistake is answered.

use iowq_workloads::limits::SPEC_BYTES_MAX;

use super::{JOB, answer, answer_with, with};

#[test]
fn all_that_must_change_is_named_at_once_by_line() {
    assert_eq!(
        answer(
            "[job]\nioengine=libaio\nsize=1m\nverify_backlog=8\nnumjobs=400\nrw=trim\niodeth=4\n\
             sync=yes\n[other]\nsize=x\nstonewall\nverify_backlog=4"
        ),
        "mine.fio:2: ioengine: found `libaio`, allowed io_uring; add --as-io-uring to see what \
         io_uring would do with the job\n\
         mine.fio:4: verify_backlog: found `8` (also on line 12), allowed nothing: what is written \
         is read back after the run and not amid it, and nothing is trimmed; remove it\n\
         mine.fio:5: numjobs: found `400`, allowed 1 to 64\n\
         mine.fio:6: rw: found `trim`, allowed write, randwrite, read, randread, rw, readwrite or \
         randrw; nothing is trimmed\n\
         mine.fio:7: found unknown option `iodeth` (did you mean `iodepth` or \
         `iodepth_low` or `iodepth_batch`?); correct or remove it: fio 3.28 to 3.42 has none of that name for an engine that is taken\n\
         mine.fio:9: ioengine: found nothing, allowed io_uring, because it is psync then; add \
         --as-io-uring to see what io_uring would do with the job\n\
         mine.fio:10: size: found `x`, allowed a whole number, also with k, m, g or t (of 1024), or \
         kib, mib, gib or tib (of 1000, as fio has it without kb_base=1000)"
    );
}

#[test]
fn a_message_has_the_first_of_many_refusals() {
    let answer = answer(&format!("{JOB}{}", "[x\n".repeat(500)));
    assert_eq!(answer.lines().count(), 21, "{answer}");
    assert!(answer.ends_with("\nand 480 more"), "{answer}");
}

#[test]
fn a_device_is_refused_with_how_to_measure_on_it() {
    for (name, device) in [("/dev/nvme0n1", "/dev/nvme0n1"), ("a:/dev/sdb", "/dev/sdb")] {
        assert_eq!(
            answer_with(&format!("filename={name}")),
            format!(
                "mine.fio:5: filename: found `{name}`, allowed names of ordinary files: a run makes \
                 the files that it reads and writes, and touches no device, whose data would be \
                 lost; remove it and start the bench with --dir FOLDER, in a file system on {device}"
            )
        );
    }
    assert_eq!(with("filename=/dev/shm/a").files, 1);
    assert!(answer_with("filename=a:-").contains("and none `-`"));
}

#[test]
fn what_is_off_or_changes_nothing_is_accepted_and_named() {
    for (lines, ignored) in [
        (
            "verify=crc32c\nverify_fatal=1\nverify_dump=1\nverify_backlog=0\nexperimental_verify=1",
            5,
        ),
        ("write_bw_log=mine\nlog_avg_msec=1000\nlog_prio=1\nper_job_logs=0\nlog_unix_epoch=1", 5),
        ("hipri=0\nnice=0\nflow=0\nlockmem=0\nzonemode=none\nnuma_mem_policy=local", 6),
        ("numa_cpu_nodes=\noffset=0\nfixedbufs\nregisterfiles=1\niodepth_batch=8", 5),
        ("steadystate=iops:1%\nss_dur=30\nratemin=1\nmax_latency=5s\nwrite_iolog=x", 5),
        ("kb_base=1000\nnumjobs=1\nthinktime=0\nrandom_distribution=random\nloops=1", 0),
    ] {
        let summary = with(&format!("bs=4096\nsize=1048576\n{lines}")).summary;
        let names = summary.split_once("Ignored: ").map_or("", |(_, names)| names);
        let count = names.split(", ").filter(|name| !name.is_empty()).count();
        assert_eq!(count, ignored, "{lines}: {summary}");
    }
}

#[test]
fn a_priority_and_a_node_of_0_are_not_off() {
    // fio takes prio=0 without a class for the highest of the best-effort class.
    for line in ["prio=0", "prioclass=0", "numa_cpu_nodes=0", "uid=0"] {
        let answer = answer_with(line);
        assert!(answer.contains("start the whole bench so, with taskset, numactl"), "{answer}");
    }
}

#[test]
fn an_option_that_is_not_carried_out_is_refused_by_name() {
    let advice = "allowed nothing: files lie in a folder of the run's own, and are made for it; \
                  remove it";
    assert!(answer_with("opendir=/tmp").ends_with(advice));
    assert!(answer_with("hipri").starts_with("mine.fio:5: hipri: found it, allowed nothing: it"));
    assert!(answer_with("rw=randwrite\nrandom_distribution=normal:20").contains(
        "random_distribution: found `normal:20`, allowed random, zipf:THETA, pareto:H or zones"
    ));
    assert_eq!(with("random_distribution=zipf:1.2\npercentage_random=5").files, 1, "in sequence");
    for text in ["zoned:60/5:60/5", "zoned_abs:100/1m"] {
        let answer = answer_with(&format!("rw=randread\nnorandommap\nrandom_distribution={text}"));
        assert!(answer.contains("or zones such as zoned:90/10:10/90"), "{answer}");
    }
    assert!(
        answer_with("rw=randread\nrandom_distribution=zoned:90/10:10/90")
            .ends_with("allowed norandommap=1 beside zones")
    );
    assert!(answer_with("nrfiles=2\nfile_service_type=random").contains("allowed roundrobin: of"));
    assert_eq!(with("file_service_type=random").files, 1);
    assert!(answer_with("bs=${BS}").contains("allowed a value: variables are not replaced"));
    assert!(
        answer_with("include other.fio").ends_with("allowed the lines of that file in its place")
    );
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest() {
    let answer = answer_with("iodeth=4");
    let start = "mine.fio:5: found unknown option `iodeth` (did you mean `iodepth`";
    assert!(answer.starts_with(start), "{answer}");
}

#[test]
fn a_file_has_jobs_below_their_globals() {
    assert_eq!(
        answer("[global]\nbs=4k\n"),
        "mine.fio:2:1: found no job, allowed one or more: a section with a name of its own, such as [job]"
    );
    assert_eq!(
        answer(&format!("{JOB}[global]")),
        "mine.fio:5:1: found [global] below the last job, [job], for which it does not hold; move \
         its options above the job"
    );
    for section in ["Global", "GLOBAL", "globals", "global-writes"] {
        assert_eq!(
            answer(&format!("[{section}]\n{JOB}")),
            format!(
                "mine.fio:1:1: found [{section}], which fio does not read as a section; \
                 allowed [global], or a job's name that starts otherwise"
            )
        );
    }
    assert_eq!(
        answer(&format!("bs=4k\n{JOB}")),
        "mine.fio:1:1: found `bs=4k` above all sections, allowed below [global]"
    );
    assert_eq!(
        answer(&format!("[a\n{JOB}")),
        "mine.fio:1:1: found `[a`, allowed [global] or [a job's name]"
    );
}

#[test]
fn what_is_missing_is_named_at_the_job() {
    assert_eq!(
        answer("[a]\nioengine=io_uring\n"),
        "mine.fio:1: size: found nothing, allowed the bytes of all files together, such as 64m: \
         files are made for the run, so that none is there to have a size"
    );
    assert_eq!(
        answer_with("fsync"),
        "mine.fio:5: fsync: found no value, allowed a whole number, also with k, m, g or t (of \
         1024), or kib, mib, gib or tib (of 1000, as fio has it without kb_base=1000)"
    );
}

#[test]
fn a_value_outside_its_limits_is_refused() {
    for (line, allowed) in [
        ("rw=trim", "write, randwrite, read, randread, rw, readwrite or randrw"),
        ("rw=write:8", "gaps of a multiple of 4096 bytes, the size of a block"),
        ("rw=write:-1k", "gaps of a multiple of 4096 bytes, the size of a block"),
        ("rw=write:x", "a whole number"),
        ("rw=randwrite:8", "nothing behind it; a new place is chosen for each op"),
        ("rw=write:-2m", "gaps of less than the file"),
        ("bs=500", "sizes from 512 to 16777216"),
        ("bs= 4k", "a whole number"),
        ("size=4095", "4096 to 274877906944 bytes for each of 1 files"),
        ("size=1t", "4096 to 274877906944 bytes for each of 1 files"),
        ("filesize=1m-2m", "one size"),
        ("nrfiles=100001", "1 to 100000"),
        ("iodepth=0", "1 to 4096"),
        ("force_async=2", "0 to 1"),
        ("fsync=1000001", "0 to 1000000"),
        ("rwmixread=101", "0 to 100"),
        ("rate_iops=10m", "0.1 to 10000000 ops per second, the fsyncs among them"),
        ("rate_process=thing", "linear or poisson"),
        ("ramp_time=2h", "0 to 3600 seconds"),
        ("ramp_time=2min", "a whole number, or one with us, ms, s, m, h or d"),
        ("filename=:", "1 to 100000 names with colons between, each once"),
        ("filename", "1 to 100000 names"),
        ("filename=a:b:a", "1 to 100000 names"),
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
}

#[test]
fn a_file_that_is_far_too_long_is_refused() {
    let answer = answer(&"#".repeat(SPEC_BYTES_MAX as usize + 1));
    assert!(answer.contains("found 65537 bytes, allowed 65536 at most"), "{answer}");
}
