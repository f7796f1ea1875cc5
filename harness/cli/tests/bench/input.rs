//! Bad input: one message that says what was found, what is allowed and what to do; nothing runs.

use crate::support::{Place, TINY, assert_refused, stderr};

/// The bench refuses these arguments with this message and leaves nothing behind.
fn refused(place: &Place, arguments: &[&str], message: &str) {
    let output = place.bench(arguments).output().expect("it runs");
    assert_refused(&output, message);
    place.assert_untouched();
}

/// A spec with this text is refused with this message.
fn spec_refused(text: &str, message: &str) {
    let place = Place::new();
    place.write("bad.toml", text);
    refused(&place, &["--workload", "bad.toml"], message);
}

/// What the parser of the command line itself refuses has a hint below its message.
fn flag_refused(arguments: &[&str], message: &str) {
    let place = Place::new();
    let arguments = [&["--workload", "tiny.toml"][..], arguments].concat();
    let output = place.bench(&arguments).output().expect("it runs");
    let said = stderr(&output);
    assert_eq!(said.lines().next(), Some(format!("error: {message}").as_str()), "{said}");
    assert!(said.ends_with("try '--help'.\n"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    place.assert_untouched();
}

#[test]
fn an_unknown_policy_is_answered_with_the_near_one_and_all_there_are() {
    refused(
        &Place::new(),
        &["--workload", "tiny.toml", "--policy", "6.12", "--policy", "6.71"],
        "unknown policy `6.71` (did you mean `6.17`?); known: 6.1, 6.12.0, 6.12, 6.16, 6.17, \
         6.17-as-posted, exit-on-idle, fixed:N; presets take +PATCH and -PATCH (`bench \
         --list` names them)",
    );
}

#[test]
fn a_fixed_pool_without_workers_is_refused() {
    refused(
        &Place::new(),
        &["--workload", "tiny.toml", "--policy", "fixed:0"],
        "policy `fixed:0`: workers takes 1 to 256, found `0`",
    );
}

#[test]
fn a_control_without_a_delay_that_can_be_found_is_none() {
    for percent in ["0", "-5", "1001", "nan"] {
        flag_refused(
            &["--control", percent],
            &format!(
                "invalid value '{percent}' for '--control [<PCT>]': it is a percentage of the \
                 median, from 0.1 to 1000"
            ),
        );
    }
}

#[test]
fn a_workload_whose_name_no_reader_takes_is_refused_before_it_runs() {
    let place = Place::new();
    let (longest, longer) = ("x".repeat(200), "x".repeat(201));
    for ending in ["toml", "fio"] {
        let file = format!("{longer}.{ending}");
        place.write(&file, "");
        refused(
            &place,
            &["--workload", &file],
            &format!(
                "{file}: found a name of 201 bytes; allowed are 1 to 200; rename the file: without \
                 its ending that is the workload's name in every record"
            ),
        );
    }
    place.write(&format!("{longest}.toml"), TINY);
    let arguments = ["--workload", &format!("{longest}.toml"), "--policy", "6.17", "--pairs", "1"];
    let output = place.bench(&arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_policy_whose_name_no_reader_takes_is_refused_before_it_runs() {
    let policy = format!("6.12.0{}", "+retire-retire".repeat(14));
    refused(
        &Place::new(),
        &["--workload", "tiny.toml", "--policy", &policy],
        &format!(
            "policy {policy}: found a name of 202 bytes; allowed are 1 to 200; name fewer patches, \
             or register a policy of its own name (harness/cli/examples/policies.rs)"
        ),
    );
}

#[test]
fn an_unknown_workload_is_answered_with_near_ones() {
    refused(
        &Place::new(),
        &["--workload", "colide"],
        "--workload: found `colide`, which is no built-in workload (did you mean `collide` or \
         `collide-stock`?); see `bench --list`, or name a file that ends in .toml or .fio",
    );
}

#[test]
fn a_missing_spec_is_named() {
    refused(
        &Place::new(),
        &["--workload", "nowhere.toml"],
        "nowhere.toml: found no such file; check the path; `bench --list` names workloads \
         that need no file",
    );
    refused(
        &Place::new(),
        &["--fio", "nowhere.fio"],
        "nowhere.fio: found no such file; check the path; `bench --list` names workloads \
         that need no file",
    );
}

#[test]
fn a_fio_job_is_refused_with_its_line() {
    let place = Place::new();
    place.write("bad.fio", "[job]\nioengine=io_uring\nsize=1m\nrw=trim\nverify_backlog=4\n");
    refused(
        &place,
        &["--fio", "bad.fio"],
        "bad.fio:4: rw: found `trim`, allowed write, randwrite, read, randread, rw, readwrite or \
         randrw; nothing is trimmed\n\
         bad.fio:5: verify_backlog: found `4`, allowed nothing: what is written is read back after \
         the run and not amid it, and nothing is trimmed; remove it",
    );
}

#[test]
fn a_fio_job_of_another_engine_is_refused_with_the_flag_that_takes_it() {
    let place = Place::new();
    place.write("aio.fio", "[job]\nioengine=libaio\nsize=1m\n");
    refused(
        &place,
        &["--fio", "aio.fio"],
        "aio.fio:2: ioengine: found `libaio`, allowed io_uring; add --as-io-uring to see what \
         io_uring would do with the job",
    );
}

#[test]
fn a_fio_job_is_told_from_a_spec_by_its_name() {
    flag_refused(
        &["--fio", "tiny.toml"],
        "invalid value 'tiny.toml' for '--fio <FILE>': name a job file that ends in .fio",
    );
}

#[test]
fn an_unknown_field_of_a_spec_is_answered_with_its_place_and_the_near_one() {
    spec_refused(
        "[files]\ncuont = 2",
        "bad.toml:2:1: found unknown field `cuont` (did you mean `count`?); allowed here: count, \
         size_mib, open, block_bytes, order, collide, state, cached",
    );
}

#[test]
fn a_value_out_of_its_limits_is_answered_with_them() {
    for (text, message) in [
        ("[files]\nsize_mib = -1", "files.size_mib: found -1, allowed 0.001 to 262144"),
        ("[files]\ncount = 0", "files.count: found 0, allowed 1 to 100000"),
        ("[ring]\ndepth = 4097", "ring.depth: found 4097, allowed 1 to 4096"),
    ] {
        spec_refused(text, &format!("bad.toml: {message}"));
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_answered_with_its_place() {
    for (text, message) in [
        (
            "[ring]\ndepth = \"eight\"",
            "2:9: invalid type: string \"eight\", expected a whole number",
        ),
        ("[ring\ndepth = 8", "1:6: unclosed table, expected `]`"),
    ] {
        spec_refused(text, &format!("bad.toml:{message}"));
    }
}

#[test]
fn two_specs_of_one_name_are_refused_because_the_record_would_mix_them() {
    let place = Place::new();
    place.write("dsync.toml", "[run]\nseconds = 0.1");
    refused(
        &place,
        &["--workload", "dsync", "--workload", "dsync.toml"],
        "workloads dsync and dsync.toml have the same name, dsync, and would be taken for one \
         another in the record; rename one",
    );
}

#[test]
fn seconds_are_a_number_within_limits() {
    for (seconds, found) in
        [("-1", "-1"), ("0", "0"), ("NaN", "NaN"), ("inf", "inf"), ("1e6", "1000000")]
    {
        refused(
            &Place::new(),
            &["--workload", "tiny.toml", "--seconds", seconds],
            &format!("command line: --seconds: found {found}, allowed 0.01 to 86400"),
        );
    }
    flag_refused(
        &["--seconds", "long"],
        "invalid value 'long' for '--seconds <S>': invalid float literal",
    );
}

#[test]
fn rounds_are_a_number_within_limits() {
    for pairs in ["0", "-3", "10001"] {
        flag_refused(
            &["--pairs", pairs],
            &format!("invalid value '{pairs}' for '--pairs <N>': {pairs} is not in 1..=10000"),
        );
    }
}

#[test]
fn a_length_is_given_once() {
    flag_refused(
        &["--quick", "--seconds", "3"],
        "the argument '--quick' cannot be used with '--seconds <S>'",
    );
}

#[test]
fn a_policy_where_only_the_kernel_runs_is_refused_because_it_has_its_own_rules() {
    refused(
        &Place::new(),
        &["--workload", "tiny.toml", "--engine", "uring", "--policy", "6.17"],
        "--policy 6.17: policies are the pool's: the kernel has its own rules, and without a ring \
         there are none; add --engine pool, or omit --policy",
    );
}

#[test]
fn who_tells_of_sleeps_is_not_asked_where_only_the_kernel_runs() {
    for blocking in ["sched", "declared"] {
        refused(
            &Place::new(),
            &["--workload", "tiny.toml", "--engine", "uring", "--blocking", blocking],
            &format!(
                "--blocking {blocking}: only the pool has to be told that a worker sleeps; \
                 add --engine pool, or omit --blocking"
            ),
        );
    }
}

#[test]
fn an_unknown_engine_is_answered_with_those_there_are() {
    flag_refused(&["--engine", "aio"], "invalid value 'aio' for '--engine <ENGINE>'");
}

#[test]
fn a_part_that_no_name_of_the_grid_has_is_answered_with_the_near_names() {
    refused(
        &Place::new(),
        &["--fidelity", "--grid", "f3-"],
        "--grid: found `f3-`, which is in no name of the grid (did you mean \
         `grid-f1-d8-s0-l2-dsync` or `grid-f1-d8-s0-l8-dsync` or `grid-f1-d8-s1-l2-dsync`?); \
         names are grid-[GROUP-[WORD-]]fF-dD-sS-lL-OPEN, see `bench --list`",
    );
}

#[test]
fn fidelity_says_itself_what_is_run() {
    for (flag, shown) in [
        (&["--policy", "6.17"][..], "--policy <NAME>"),
        (&["--engine", "pool"], "--engine <ENGINE>"),
        (&["--workload", "dsync"], "--workload <NAME|FILE>"),
        (&["--quick"], "--quick"),
    ] {
        let place = Place::new();
        let output = place.bench(&[&["--fidelity"], flag].concat()).output().expect("it runs");
        let message = format!("error: the argument '--fidelity' cannot be used with '{shown}'");
        assert_eq!(stderr(&output).lines().next(), Some(message.as_str()));
        assert_eq!(output.status.code(), Some(2));
        place.assert_untouched();
    }
}

#[test]
fn a_part_of_the_grid_is_refused_without_fidelity() {
    let place = Place::new();
    let output = place.bench(&["--grid", "f4-"]).output().expect("it runs");
    let said = stderr(&output);
    assert!(said.contains("arguments were not provided:\n  --fidelity\n"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    place.assert_untouched();
    flag_refused(
        &["--grid", "f4-"],
        "the argument '--workload <NAME|FILE>' cannot be used with '--grid <PART>'",
    );
}
