//! When ops of a job come: rates, pauses and batches.

use std::time::Duration;

use iowq_workloads::Arrival;

use super::{answer_with, with};

fn closed(pause_ms: u64, min_complete: u32) -> Arrival {
    Arrival::Closed { pause: Duration::from_millis(pause_ms), min_complete }
}

#[test]
fn a_rate_in_bytes_is_that_of_as_many_blocks() {
    assert_eq!(with("rate=400k").arrival, Arrival::Rate { per_s: 100.0 });
    assert_eq!(with("rate=1m,400k").arrival, Arrival::Rate { per_s: 100.0 }, "it only writes");
    assert_eq!(with("rate=1m,").arrival, closed(0, 1), "only reads have a rate");
    assert_eq!(with("bs=16k\nrate=160k\nfsync=1").arrival, Arrival::Rate { per_s: 20.0 });
    assert!(answer_with("rate=1m\nrate_iops=5").contains("rate_iops: found `5`, allowed nothing"));
}

#[test]
fn a_rate_in_bytes_needs_a_size_that_is_known() {
    let answer = answer_with("rw=randwrite\nbsrange=4k-8k\nrate=600k");
    assert!(answer.contains("rate: found `600k`, allowed rate_iops in its place"), "{answer}");
    let hundred = Arrival::Rate { per_s: 100.0 };
    for lines in ["rw=randwrite\nnorandommap", "rw=write", "rw=randwrite\nrandom_distribution=zipf"]
    {
        assert_eq!(with(&format!("bsrange=4k-8k\nrate=600k\n{lines}")).arrival, hundred, "{lines}");
    }
    assert_eq!(with("rw=randwrite\nbsrange=4k-8k\nrate_iops=100").arrival, hundred);
}

#[test]
fn reads_and_writes_of_a_mix_have_a_rate_each() {
    let plan = with("rw=randrw\nrwmixread=90\nrate_iops=300,100");
    assert_eq!((plan.mix.read, plan.mix.write), (75, 25), "as in fio, whatever the mix says");
    assert_eq!(plan.arrival, Arrival::Rate { per_s: 400.0 });
    let answer = answer_with("rw=randrw\nrate_iops=300,");
    assert!(answer.ends_with("allowed a rate for reads and one for writes, or none"), "{answer}");
}

#[test]
fn a_rate_that_no_run_can_have_is_refused_in_ops_per_second() {
    assert_eq!(
        answer_with("rate=300"),
        "mine.fio:5: rate: found `300`, allowed 0.1 to 10000000 ops per second, the fsyncs among \
         them; this is 0.073"
    );
}

#[test]
fn offloaded_submission_at_a_rate_is_what_ops_in_time_are() {
    let plan = with("io_submit_mode=offload\nrate_iops=50\nrate_process=poisson\niodepth=32");
    assert_eq!(plan.arrival, Arrival::Poisson { per_s: 50.0 });
    assert!(answer_with("io_submit_mode=offload").contains("or offload beside rate"));
}

#[test]
fn a_pause_comes_after_each_round_of_ops_in_flight() {
    for (lines, arrival, depth) in [
        ("thinktime=2000", closed(2, 1), 1),
        ("thinktime=2ms\niodepth=8", closed(2, 8), 8),
        (
            "thinktime=2ms\niodepth=8\nthinktime_blocks=4\nthinktime_blocks_type=issue",
            closed(2, 4),
            4,
        ),
        ("thinktime=0\nthinktime_blocks=4\niodepth=8", closed(0, 1), 8),
    ] {
        let plan = with(lines);
        assert_eq!((plan.arrival, plan.depth), (arrival, depth), "{lines}");
    }
    for lines in ["thinktime_blocks=2", "thinktime_blocks=2\nthinktime_blocks_type=issue"] {
        let answer = answer_with(&format!("thinktime=5\n{lines}"));
        assert!(answer.contains("thinktime_blocks: found `2`, allowed 1, or up to"), "{answer}");
    }
    let beside = answer_with("thinktime=5\nrate_iops=5");
    assert!(beside.contains("thinktime: found `5`, allowed nothing beside a rate"), "{beside}");
}

#[test]
fn a_batch_is_what_must_be_done_before_the_next_round() {
    for (lines, min_complete) in [
        ("iodepth_batch=16", 1),
        ("iodepth_batch_submit=8\niodepth_batch_complete=8", 8),
        ("iodepth_batch_complete_min=64\niodepth_batch_complete_max=64", 32),
        ("iodepth_batch_complete_min=0", 1),
        ("iodepth_low=8", 24),
        ("iodepth_low=0", 1),
        ("iodepth_low=30\niodepth_batch_complete_min=4", 4),
    ] {
        let plan = with(&format!("iodepth=32\n{lines}"));
        assert_eq!(plan.arrival, closed(0, min_complete), "{lines}");
    }
}
