//! Jobs of other engines: taken as if io_uring ran them if that is asked for, else refused.

use iowq_workloads::{Engines, Plan};

use super::{answer, answer_as};

fn as_io_uring(text: &str) -> Plan {
    let plans = Plan::parse_fio("mine", "mine.fio", text, Engines::AsIoUring);
    plans.unwrap_or_else(|error| panic!("{text}\n{error}")).remove(0)
}

fn job(engine: &str) -> String {
    format!("[job]\nioengine={engine}\nrw=randwrite\nsize=1m\niodepth=16\n")
}

#[test]
fn other_engines_are_refused_with_the_flag_that_takes_them() {
    assert_eq!(
        answer(&job("libaio")),
        "mine.fio:2: ioengine: found `libaio`, allowed io_uring; add --as-io-uring to see what \
         io_uring would do with the job"
    );
    assert_eq!(
        answer("[job]\nrw=write\nsize=1m\n"),
        "mine.fio:1: ioengine: found nothing, allowed io_uring, because it is psync then; add \
         --as-io-uring to see what io_uring would do with the job"
    );
}

#[test]
fn an_asynchronous_engine_keeps_its_depth_and_a_synchronous_one_has_one_op_in_flight() {
    for engine in ["libaio", "posixaio", "io_uring"] {
        assert_eq!(as_io_uring(&job(engine)).depth, 16, "{engine}");
    }
    for engine in ["sync", "psync", "vsync", "pvsync", "pvsync2", "mmap"] {
        assert_eq!(as_io_uring(&job(engine)).depth, 1, "{engine}");
    }
    assert_eq!(as_io_uring("[job]\nsize=1m\niodepth=8\n").depth, 1, "psync, as in fio");
}

#[test]
fn the_summary_says_which_engine_the_job_names() {
    assert_eq!(
        as_io_uring(&job("libaio")).summary,
        "fio job [job]. It is run as if by io_uring; its engine is libaio."
    );
    assert_eq!(
        as_io_uring("[job]\nsize=1m\n").summary,
        "fio job [job]. It is run as if by io_uring; its engine is psync, which has one op in \
         flight."
    );
    assert_eq!(as_io_uring(&job("io_uring")).summary, "fio job [job].");
}

#[test]
fn an_engine_without_reads_and_writes_of_files_is_refused_alone() {
    for (engine, reason) in [
        ("null", "io_uring: this engine does nothing to files"),
        ("sg", "io_uring: this engine sends commands to a device, which a run never does"),
        (
            "external:/lib/mine.so",
            "io_uring: this engine is of another system, or loaded from a file",
        ),
        (
            "libaoi",
            "io_uring, or with --as-io-uring sync, psync, vsync, pvsync, pvsync2, mmap, \
                    libaio, posixaio",
        ),
    ] {
        let text = format!("{}pool=of_another_engine\nverify_backlog=1\n", job(engine));
        assert_eq!(
            answer_as(&text, Engines::AsIoUring),
            format!("mine.fio:2: ioengine: found `{engine}`, allowed {reason}")
        );
    }
}
