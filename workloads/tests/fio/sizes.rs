//! How much of a file there is, in blocks of which size, and how often.

use std::time::Duration;

use iowq_workloads::{FileState, Length, Order, Plan, Stream};

use super::{answer_with, with};

#[test]
fn a_size_may_be_repeated_cut_and_a_share() {
    for (lines, file_blocks, ops) in [
        ("loops=3", 256, 768),
        ("loops=0", 256, 256),
        ("number_ios=100", 256, 100),
        ("number_ios=100\nloops=2", 256, 200),
        ("number_ios=0", 256, 256),
        ("io_size=50%", 256, 128),
        ("io_size=512k\nloops=2", 256, 256),
        ("filesize=2m\nsize=50%", 256, 256),
        ("filesize=64k-64k", 16, 16),
    ] {
        let plan = with(lines);
        assert_eq!((plan.file_blocks, plan.length), (file_blocks, Length::Ops(ops)), "{lines}");
    }
    assert!(answer_with("filesize=64k-128k").contains("allowed one size, which all files have"));
}

#[test]
fn a_share_of_a_file_that_is_not_there_is_refused_as_in_fio() {
    assert_eq!(
        answer_with("size=50%"),
        "mine.fio:5: size: found `50%`, allowed the bytes of all files together, such as 64m: \
         files are made for the run, so that none is there to have a size"
    );
}

#[test]
fn a_split_a_range_and_a_pair_may_name_one_size() {
    for lines in [
        "bsrange=16k-16k",
        "bssplit=16k",
        "bssplit=16k/100",
        "bssplit=16k/50:16k/50",
        "bs=16k,16k",
        "bs=4k,16k",
        "bs=,16k",
        "bs=4k\nbsrange=8k-16k\nbssplit=4k/50:8k/50,16k/100",
        "blocksize_range=4k-8k,16k-16k",
        "kb_base=1000\nbs=16kib\nsize=1mib",
        "bs=16k\nblockalign=16k",
    ] {
        assert_eq!(with(lines).block_bytes, 16 * 1024, "{lines}");
    }
}

/// Bytes of each size and its share, and the bytes that places at random are multiples of.
fn sizes(plan: &Plan) -> (Vec<(u32, u32)>, u32) {
    let sizes = plan.sizes.iter().map(|size| (size.blocks * plan.block_bytes, size.weight));
    (sizes.collect(), plan.align_blocks * plan.block_bytes)
}

#[test]
fn several_sizes_have_their_shares_and_lie_at_multiples_of_the_smallest() {
    for (lines, wanted, align) in [
        ("bssplit=4k/20:16k/60:64k/20", vec![(4096, 20), (16_384, 60), (65_536, 20)], 4096),
        ("bssplit=4k/50:16k:64k", vec![(4096, 50), (16_384, 25), (65_536, 25)], 4096),
        ("bssplit=4k/10:8k/20", vec![(4096, 10), (8192, 90)], 4096),
        ("bssplit=8k/30:4k/40:8k/30", vec![(4096, 40), (8192, 60)], 4096),
        ("bsrange=4k-12k", vec![(4096, 1), (8192, 1), (12_288, 1)], 4096),
        ("bsrange=8k-4k", vec![(4096, 1), (8192, 1)], 4096),
        ("bssplit=4k/50:8k/50\nblockalign=2k", vec![(4096, 50), (8192, 50)], 4096),
        ("rw=randwrite\nbssplit=4k/50:8k/50\nblockalign=2k", vec![(4096, 50), (8192, 50)], 2048),
        ("bs=64k\nblockalign=4k", vec![], 0),
        ("rw=randread\nbs=64k\nblockalign=4k", vec![(65_536, 1)], 4096),
        ("bssplit=4k/50:10k/50", vec![(4096, 50), (8192, 50)], 4096),
        ("bs_unaligned\nbssplit=4k/50:10k/50", vec![(4096, 50), (10_240, 50)], 4096),
    ] {
        assert_eq!(sizes(&with(lines)), (wanted, align), "{lines}");
    }
}

#[test]
fn a_job_of_several_sizes_ends_after_as_many_bytes() {
    let plan = with("rw=randwrite\nfsync=4\nbssplit=4k/50:12k/50");
    assert_eq!((plan.io_blocks, plan.length), (256, Length::Ops(128 + 32)), "8 KiB on average");
    let one = with("rw=randwrite\nbs=64k\nblockalign=4k\nnumber_ios=5");
    assert_eq!((one.io_blocks, one.length), (80, Length::Ops(5)), "one size of 16 blocks");
    assert_eq!(with("bsrange=4k-8k\nio_size=64k").io_blocks, 16);
    let timed = with("bsrange=4k-8k\ntime_based\nruntime=1");
    assert_eq!((timed.io_blocks, timed.length), (0, Length::Time(Duration::from_secs(1))));
    assert_eq!(plan.with_seconds(1.0).expect("it is allowed").io_blocks, 0);
}

#[test]
fn with_a_map_ops_of_several_sizes_come_to_each_block_once() {
    let plan = with("rw=randrw\nbssplit=4k/50:8k/20:64k/30");
    let mut blocks = std::collections::BTreeSet::new();
    let mut all = 0;
    for op in Stream::new(&plan, 3) {
        all += u64::from(op.blocks);
        assert!((op.block..).take(op.blocks as usize).all(|block| blocks.insert(block)), "{op:?}");
        if all == plan.file_blocks {
            break;
        }
    }
    let is_cut = |lines: &str| with(&format!("bsrange=4k-8k\n{lines}")).is_cut;
    assert!(is_cut("rw=randwrite") && !is_cut("rw=write") && !is_cut("rw=randread\nnorandommap"));
    let unaligned = with("rw=randwrite\nbs_unaligned\nbssplit=4k/50:10k/50\nnorandommap=0");
    assert!(unaligned.is_cut && unaligned.summary == "fio job [job].", "{}", unaligned.summary);
    let bytes = Stream::new(&unaligned, 3).take(20).map(|op| op.bytes(unaligned.block_bytes));
    assert!(bytes.collect::<Vec<_>>().contains(&10_240), "ops that fit have their whole size");
    assert!(!is_cut("rw=randread\nblockalign=8k") && !with("rw=randread").is_cut);
}

#[test]
fn sizes_that_no_run_can_have_are_refused() {
    for (lines, option, wanted) in [
        ("rw=rw\nbs=4k,8k", "bs", "the same sizes for reads and writes; or two jobs"),
        ("bsrange=4k-6k", "bsrange", "from a size to a multiple of it, up to 64 times; or bssplit"),
        ("bsrange=4k-1m", "bsrange", "from a size to a multiple of it, up to 64 times; or bssplit"),
        (
            "bs_unaligned\nbsrange=4k-8k",
            "bs_unaligned",
            "nothing beside bsrange, of which fio then",
        ),
        ("bssplit=4k/60:8k/60", "bssplit", "up to 64 sizes with shares of 100 together"),
        (
            "bs_unaligned\nbssplit=4k/50:6000/50",
            "bssplit",
            "sizes and blockalign with a common divisor of 512",
        ),
        (
            "rw=randread\ndirect=1\nbs=4k\nblockalign=600",
            "blockalign",
            "a multiple of 512 with direct=1",
        ),
        ("bssplit=4k/50:8k/50\nnumber_ios=5", "number_ios", "0 beside several sizes of blocks; or"),
        ("bssplit=4k/50:2m/50", "size", "2097152 to 274877906944 bytes for each of 1 files"),
        ("rw=read:4k\nbsrange=4k-8k", "rw", "no gaps beside several sizes of blocks"),
    ] {
        let answer = answer_with(lines);
        assert!(answer.contains(&format!(": {option}: found ")), "{answer}");
        assert!(answer.contains(&format!("allowed {wanted}")), "{answer}");
    }
}

#[test]
fn a_job_in_steps_reads_as_much_as_fio() {
    for (lines, step, ops) in [
        ("rw=read:-8k", -1, 256),
        ("rw=write:-16k", -3, 256),
        ("rw=read:4k", 2, 256),
        ("rw=write:16k", 5, 52),
        ("rw=write:16k\nio_size=2m", 5, 512),
        ("rw=write:-4k", 0, 256),
    ] {
        let plan = with(lines);
        let wanted = (Order::Step { blocks: step }, Length::Ops(ops));
        assert_eq!((plan.mix.order, plan.length), wanted, "{lines}");
    }
    let far = answer_with("rw=read:8t");
    assert!(far.contains("a multiple of 4096 bytes, the size of a block, up to "), "{far}");
    assert_eq!(with("rw=write:0").mix.order, Order::Sequential);
    let keeps = |rw: &str| with(&format!("rw={rw}\nfallocate=keep")).state[0];
    assert_eq!([keeps("write:4k"), keeps("write:-8k")], [FileState::Fresh, FileState::Allocated]);
}

#[test]
fn suffixes_follow_kb_base() {
    assert_eq!(with("kb_base=1000\nbs=4096\nsize=4096k").file_blocks, 1000);
    assert!(answer_with("kb_base=10").contains("kb_base: found `10`, allowed 1000 or 1024"));
}
