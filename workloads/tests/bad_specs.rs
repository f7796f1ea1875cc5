//! Bad specs: each mistake is answered with file, field, what was found and what is allowed.

use std::time::Duration;

use iowq_workloads::limits::SPEC_BYTES_MAX;
use iowq_workloads::{Length, Plan};

/// The answer to a spec, or the plan's name if there is nothing to complain about.
fn answer(text: &str) -> String {
    match Plan::parse("mine", "mine.toml", text) {
        Ok(plan) => format!("accepted {}", plan.name),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_empty_spec_is_a_plan_of_defaults() {
    assert_eq!(answer(""), "accepted mine");
}

#[test]
fn a_negative_size_is_refused() {
    assert_eq!(
        answer("[files]\nsize_mib = -4"),
        "mine.toml: files.size_mib: found -4, allowed 0.001 to 262144"
    );
}

#[test]
fn zero_files_are_refused() {
    assert_eq!(
        answer("[files]\ncount = 0"),
        "mine.toml: files.count: found 0, allowed 1 to 100000"
    );
    assert_eq!(
        answer("[files]\ncount = 100000\n[log]"),
        "mine.toml: files.count: found 100000, allowed 99999 beside a log"
    );
}

#[test]
fn a_depth_over_the_limit_is_refused() {
    assert_eq!(
        answer("[ring]\ndepth = 5000"),
        "mine.toml: ring.depth: found 5000, allowed 1 to 4096"
    );
    assert_eq!(
        answer("[ring]\ndepth = 4096\n[files]\nblock_bytes = 1048576"),
        "mine.toml: ring.depth: found 4096, allowed 1024 at most with blocks of 1048576 bytes"
    );
}

#[test]
fn a_round_cannot_wait_for_more_than_the_ring_is_deep_nor_for_nothing() {
    for found in [0, 17] {
        assert_eq!(
            answer(&format!("[ring]\ndepth = 16\n[arrival]\nmin_complete = {found}")),
            format!(
                "mine.toml: arrival.min_complete: found {found}, allowed 1 to 16, which is ring.depth"
            )
        );
    }
    assert_eq!(
        answer("[arrival]\npattern = \"rate\"\nper_s = 10\nmin_complete = 2"),
        "mine.toml: arrival.min_complete: found 2, allowed only with pattern = \"closed\", and here \
         it is \"rate\""
    );
}

#[test]
fn a_linked_pair_needs_a_depth_of_two() {
    assert_eq!(
        answer("[ring]\ndepth = 1\n[log]"),
        "mine.toml: ring.depth: found 1, allowed 2 or more, because a linked write and fsync are \
         submitted together"
    );
}

#[test]
fn an_unknown_field_is_answered_with_the_nearest_and_all_that_exist() {
    assert_eq!(
        answer("[ring]\n  depht = 8"),
        "mine.toml:2:3: found unknown field `depht` (did you mean `depth`?); \
         allowed here: depth, reopen_after_ops, closed_ms, linger_ms, force_async, sqpoll, iopoll, \
         registered_files, registered_buffers"
    );
    assert_eq!(
        answer("[file]\ncount = 4"),
        "mine.toml:1:2: found unknown field `file` (did you mean `files`?); \
         allowed here: summary, origin, files, sockets, mix, log, arrival, ring, workers, run, task"
    );
    assert_eq!(
        answer("[run]\nxyz = 4"),
        "mine.toml:2:1: found unknown field `xyz`; \
         allowed here: seconds, ops, warmup_seconds, seed, verify, cpus"
    );
}

#[test]
fn invalid_toml_is_reported_with_line_and_column() {
    assert_eq!(answer("files: 4\n"), "mine.toml:1:8: key with no value, expected `=`");
    assert_eq!(
        answer("# a comment\n[files\ncount = 1"),
        "mine.toml:2:7: unclosed table, expected `]`"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_answered_with_line_and_column() {
    assert_eq!(
        answer("[files]\ncount = \"four\""),
        "mine.toml:2:9: invalid type: string \"four\", expected a whole number"
    );
    assert_eq!(
        answer("[files]\nopen = \"osync\""),
        "mine.toml:2:8: unknown variant `osync`, expected one of `buffered`, `dsync`, `sync`, \
         `direct`"
    );
    assert_eq!(
        answer("[files]\nopen = 4"),
        "mine.toml:2:8: invalid type: integer `4`, expected \"buffered\", \"dsync\", \"sync\" \
         or \"direct\", or a list of them"
    );
}

#[test]
fn a_spec_that_is_far_too_long_is_refused_before_it_is_parsed() {
    let text = "#".repeat(SPEC_BYTES_MAX as usize + 1);
    assert_eq!(
        answer(&text),
        "mine.toml: found 65537 bytes, allowed 65536 at most: this is no spec and no job file, check \
         the name"
    );
}

#[test]
fn ops_and_seconds_exclude_each_other() {
    assert_eq!(
        answer("[run]\nops = 100\nseconds = 2.5"),
        "mine.toml: run: found ops = 100 and seconds = 2.5, allowed one of them"
    );
}

#[test]
fn a_list_of_open_flags_has_one_for_each_file() {
    assert_eq!(
        answer("[files]\ncount = 3\nopen = [\"dsync\", \"direct\"]"),
        "mine.toml: files.open: found a list of 2, allowed one value, or a list of 3, one for each \
         file"
    );
    assert_eq!(answer("[files]\ncount = 2\nopen = [\"dsync\", \"direct\"]"), "accepted mine");
}

#[test]
fn a_block_is_of_any_size_but_whole_sectors_if_a_file_is_direct() {
    for bytes in ["256", "-4096", "16777217"] {
        assert_eq!(
            answer(&format!("[files]\nblock_bytes = {bytes}")),
            format!("mine.toml: files.block_bytes: found {bytes}, allowed 512 to 16777216")
        );
    }
    assert_eq!(answer("[files]\nblock_bytes = 5001"), "accepted mine");
    assert_eq!(answer("[files]\nblock_bytes = 12288\nopen = \"direct\""), "accepted mine");
    for direct in ["open = \"direct\"", "[log]\nopen = \"direct\""] {
        assert_eq!(
            answer(&format!("[files]\nblock_bytes = 5001\n{direct}")),
            "mine.toml: files.block_bytes: found 5001, allowed a multiple of 512 if a file is \
             opened direct"
        );
    }
}

#[test]
fn sizes_are_a_list_with_weights_and_made_of_blocks_that_can_be_compared() {
    let sizes = |list: &str| answer(&format!("[files]\nblock_bytes = {list}"));
    let mix = "[{ bytes = 4096, weight = 70 }, { bytes = 65536, weight = 30 }]";
    assert_eq!(sizes(mix), "accepted mine");
    for (list, wanted) in [
        ("[]", "found a list of 0, allowed one size, or a list of 1 to 64"),
        ("[{ bytes = 256 }]", "found 256, allowed 512 to 16777216"),
        ("[{ bytes = 512, weight = 0 }]", "found weight 0 of 512 bytes, allowed 1 to 1000"),
        (
            "[{ bytes = 512 }, { bytes = 512 }]",
            "found 512 bytes twice, allowed each size once, with its weight",
        ),
        (
            "[{ bytes = 4096 }, { bytes = 4100 }]",
            "found sizes whose greatest common divisor is 4, allowed one of 512 or more",
        ),
    ] {
        let said = sizes(list);
        assert!(said.starts_with("mine.toml: files.block_bytes: "), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
    let typed = sizes("\"4k\"");
    assert!(typed.contains("a number of bytes, or a list such as [{ bytes = 4096"), "{typed}");
    let misspelt = sizes("[{ byte = 4096 }]");
    assert!(misspelt.contains("unknown field `byte` (did you mean `bytes`?)"), "{misspelt}");
    assert_eq!(
        answer(
            "[ring]\ndepth = 128\n[files]\nblock_bytes = [{ bytes = 512 }, { bytes = 16777216 }]"
        ),
        "mine.toml: ring.depth: found 128, allowed 64 at most with blocks of 16777216 bytes"
    );
}

#[test]
fn an_order_is_a_name_or_a_distribution_with_its_number() {
    let order = |text: &str| answer(&format!("[files]\norder = \"{text}\""));
    for text in ["random", "zipf:1.2", "zipf:1", "pareto:0.2", "normal:20"] {
        assert_eq!(order(text), "accepted mine", "{text}");
    }
    assert!(
        order("zipf").contains("unknown order `zipf`, expected `zipf:` and a number from 0.01")
    );
    assert!(order("zipfian:1").contains("`pareto:0.2` or `normal:20`"), "{}", order("zipfian:1"));
}

#[test]
fn a_file_has_room_for_a_block() {
    assert_eq!(
        answer("[files]\nsize_mib = 1\nblock_bytes = 1572864"),
        "mine.toml: files.size_mib: found 1, allowed 1.5 or more, which is one block of 1572864 \
         bytes"
    );
}

#[test]
fn more_blocks_than_can_be_checked_are_refused() {
    assert_eq!(
        answer("[files]\ncount = 512\nsize_mib = 262144"),
        "mine.toml: files.size_mib: found 512 files of 67108864 blocks, 34359738368 together, \
         allowed 67108864 blocks at most: fewer files, smaller ones or larger blocks"
    );
}

#[test]
fn fields_of_another_arrival_pattern_are_refused() {
    assert_eq!(
        answer("[arrival]\nper_s = 10"),
        "mine.toml: arrival.per_s: found 10, allowed only with pattern = \"rate\" or \"poisson\", \
         and here it is \"closed\""
    );
    assert_eq!(
        answer("[arrival]\npattern = \"bursts\"\nburst_ops = 8"),
        "mine.toml: arrival.gap_ms: found nothing, allowed a time between bursts, which pattern = \
         \"bursts\" needs"
    );
    assert_eq!(
        answer("[arrival]\npattern = \"poisson\"\nper_s = nan"),
        "mine.toml: arrival.per_s: found NaN, allowed 0.1 to 10000000"
    );
}

#[test]
fn a_mix_that_contradicts_itself_is_refused() {
    assert_eq!(
        answer("[mix]\nwrite = 0"),
        "mine.toml: mix: found no kind of op, allowed at least one kind of op above 0, such as write, \
         read or receive"
    );
    assert_eq!(
        answer("[mix]\nwrite = 0\nread = 1\nwrites_per_fsync = 4"),
        "mine.toml: mix.writes_per_fsync: found 4, allowed 0 if mix.write is 0"
    );
    assert_eq!(
        answer("[mix]\nlinked = true"),
        "mine.toml: mix.linked: found true, allowed false if mix.writes_per_fsync is 0, because \
         there is nothing to link"
    );
}

#[test]
fn ops_on_names_and_lengths_need_files_and_what_is_cut_off_is_not_read() {
    assert_eq!(
        answer("[mix]\ntruncate = 1"),
        "mine.toml: mix.truncate: found 1, allowed 0 beside mix.write, because what is cut off \
         cannot be read back; or add `run.verify = false`"
    );
    assert_eq!(
        answer("[mix]\nwrite = 0\nread = 1\ntruncate = 2\n[run]\nverify = false"),
        "mine.toml: mix.truncate: found 2, allowed 0 beside mix.read, because a read behind the \
         end of its file reads nothing"
    );
    assert_eq!(
        answer("[sockets]\n[mix]\nreceive = 1\nstatx = 1"),
        "mine.toml: mix: found openat, statx, rename, unlink, truncate or sync_file_range, allowed \
         none of these with [sockets]"
    );
    let valid = ["[mix]\ntruncate = 1\n[run]\nverify = false", "[mix]\nwrite = 0\ntruncate = 1"];
    assert!(valid.iter().all(|text| Plan::parse("mine", "mine.toml", text).is_ok()));
}

#[test]
fn a_time_without_a_ring_needs_a_ring_that_is_reopened() {
    assert_eq!(
        answer("[ring]\nclosed_ms = 50"),
        "mine.toml: ring.closed_ms: found 50, allowed 0 if ring.reopen_after_ops is 0, because \
         the ring is never reopened"
    );
}

#[test]
fn limits_on_workers_time_and_seed_are_checked() {
    for (text, answer_wanted) in [
        ("[workers]\nbounded = 0", "workers.bounded: found 0, allowed 1 to 1000"),
        ("[workers]\nunbounded = 9999", "workers.unbounded: found 9999, allowed 1 to 1000"),
        (
            "[workers]\nbounded = 8\nkernel_limits = true",
            "workers.bounded: found 8, allowed nothing beside `kernel_limits = true`, which sets both limits",
        ),
        ("[workers]\nidle_timeout_ms = 0", "workers.idle_timeout_ms: found 0, allowed 1 to 60000"),
        ("[run]\nseconds = 0", "run.seconds: found 0, allowed 0.01 to 86400"),
        ("[run]\nops = 0", "run.ops: found 0, allowed 1 to 1000000000000"),
        ("[run]\ncpus = 0", "run.cpus: found 0, allowed 1 to 1024"),
        ("[run]\nwarmup_seconds = -1", "run.warmup_seconds: found -1, allowed 0 to 3600"),
        ("[run]\nseed = -1", "run.seed: found -1, allowed 0 to 9223372036854775807"),
        ("[ring]\nlinger_ms = inf", "ring.linger_ms: found inf, allowed 0 to 60000"),
        ("[log]\nweight = 0", "log.weight: found 0, allowed 1 to 1000"),
    ] {
        assert_eq!(answer(text), format!("mine.toml: {answer_wanted}"));
    }
}

#[test]
fn seconds_from_the_command_line_are_held_to_the_same_limits() {
    let plan = Plan::parse("mine", "mine.toml", "[run]\nops = 5").expect("a valid spec");
    let error = plan.clone().with_seconds(-1.0).expect_err("no time at all");
    assert_eq!(error.to_string(), "command line: --seconds: found -1, allowed 0.01 to 86400");
    let length = plan.with_seconds(0.5).expect("a valid length").length;
    assert_eq!(length, Length::Time(Duration::from_millis(500)));
}

#[test]
fn data_can_stay_in_the_page_cache_only_if_there_is_both() {
    assert_eq!(
        answer("[files]\ncached = true"),
        "mine.toml: files.cached: found true, allowed false if no file is written before; add \
         `files.state = \"written\"`"
    );
    assert_eq!(
        answer("[files]\ncached = true\nopen = \"direct\"\n[mix]\nread = 1"),
        "mine.toml: files.cached: found true, allowed false if all files are opened direct, \
         around the page cache"
    );
    assert_eq!(answer("[files]\ncached = true\n[mix]\nread = 1"), "accepted mine");
}

#[test]
fn a_state_that_does_not_exist_is_answered_with_those_that_do() {
    for table in ["files", "log"] {
        let answer = answer(&format!("[{table}]\nstate = \"full\""));
        let wanted = "expected one of `fresh`, `allocated`, `written`";
        assert!(answer.starts_with("mine.toml:2:9: ") && answer.contains(wanted), "{answer}");
    }
}

#[test]
fn steps_go_with_one_size_alone() {
    let files = "[files]\norder = \"step:2\"\n";
    assert_eq!(answer(files), "accepted mine");
    assert_eq!(
        answer(&format!("{files}block_bytes = [{{ bytes = 4096 }}, {{ bytes = 8192 }}]")),
        "mine.toml: files.order: found step:2, allowed sequential or another beside several sizes of \
         blocks"
    );
}
