//! How much of a file there is, in blocks of which size, and how often.

use iowq_workloads::Length;

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

#[test]
fn several_sizes_are_refused_with_the_one_that_most_blocks_have() {
    for (lines, option, bytes) in [
        ("rw=rw\nbs=4k,8k", "bs", 4096),
        ("bsrange=4k-64k", "bsrange", 4096),
        ("bssplit=4k/20:16k/60:64k/20", "bssplit", 16_384),
    ] {
        let answer = answer_with(lines);
        let wanted = format!("allowed one size for all reads and writes, such as bs={bytes}");
        assert!(answer.contains(&format!(": {option}: found ")), "{answer}");
        assert!(answer.contains(&wanted), "{answer}");
    }
    let answer = answer_with("blockalign=8k");
    assert!(
        answer.contains("blockalign: found `8k`, allowed 4096, the size of a block"),
        "{answer}"
    );
}

#[test]
fn suffixes_follow_kb_base() {
    assert_eq!(with("kb_base=1000\nbs=4096\nsize=4096k").file_blocks, 1000);
    assert!(answer_with("kb_base=10").contains("kb_base: found `10`, allowed 1000 or 1024"));
}
