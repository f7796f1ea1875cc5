//! The fidelity grid: each plan is what its name says, and no two are the same.

use std::collections::BTreeSet;
use std::time::Duration;

use iowq_workloads::grid::GROUPS;
use iowq_workloads::{Arrival, Length, Meta, Open, Plan, builtin, builtins, grid, grid_with};

fn all() -> Vec<Plan> {
    grid().unwrap_or_else(|error| panic!("{error}"))
}

/// Plans whose names contain one of these parts.
fn with(parts: &[&str]) -> Result<Vec<Plan>, String> {
    let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
    grid_with(&parts).map_err(|error| error.to_string())
}

/// How many these are.
fn count(parts: &[&str]) -> usize {
    with(parts).unwrap_or_else(|error| panic!("{error}")).len()
}

/// The words before the shape, and the shape: `["reads", "cached"]` and `f4-d64-s0-l8-buffered`.
fn parts(name: &str) -> (Vec<&str>, String) {
    let words: Vec<&str> = name.split('-').skip(1).collect();
    let (words, shape) = words.split_at(words.len() - 5);
    (words.to_vec(), shape.join("-"))
}

/// The group of a plan, by its name.
fn group(plan: &Plan) -> &str {
    parts(&plan.name).0.first().copied().unwrap_or("writes")
}

#[test]
fn the_grid_has_about_two_hundred_uniquely_named_points_in_eleven_groups() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    let of = |group| all.iter().filter(|plan| self::group(plan) == group).count();
    let counts = GROUPS.map(|group| (group, of(group)));
    assert_eq!(
        counts,
        [
            ("writes", 118),
            ("reads", 16),
            ("direct", 17),
            ("fallocate", 9),
            ("forced", 16),
            ("linked", 12),
            ("limits", 9),
            ("reopen", 9),
            ("cpu1", 13),
            ("sockets", 13),
            ("metadata", 12),
        ]
    );
}

#[test]
fn the_end_of_a_name_is_the_shape_of_its_plan() {
    for plan in all() {
        let open = match plan.open[0] {
            Open::Dsync => "dsync",
            Open::Direct => "direct",
            _ => "buffered",
        };
        let (files, depth) = (plan.files, plan.depth);
        let limit =
            if plan.kernel_limits { "kernel".to_owned() } else { plan.limits[0].to_string() };
        let writes = plan.mix.writes_per_fsync;
        assert_eq!(parts(&plan.name).1, format!("f{files}-d{depth}-s{writes}-l{limit}-{open}"));
        assert!(plan.open.iter().all(|other| *other == plan.open[0]), "{}", plan.name);
        assert!(plan.summary.ends_with('.') && plan.origin.ends_with('.'), "{}", plan.summary);
    }
}

#[test]
fn a_group_has_what_its_name_says_and_the_others_have_not() {
    for plan in all() {
        let (words, _) = parts(&plan.name);
        let is = |word: &str| words.contains(&word);
        let name = &plan.name;
        assert_eq!(plan.force_async, words.iter().any(|word| word.ends_with("forced")), "{name}");
        assert_eq!(plan.sockets.is_some(), is("sockets"), "{name}");
        assert_eq!(plan.mix.linked, is("linked"), "{name}");
        assert_eq!(plan.kernel_limits, is("limits"), "{name}");
        assert_eq!(plan.cpus, is("cpu1").then_some(1), "{name}");
        assert_eq!(plan.mix.read > 0, is("reads"), "{name}");
        assert_eq!(plan.mix.fallocate > 0, is("fallocate"), "{name}");
        assert_eq!(plan.mix.meta != Meta::NONE, is("metadata"), "{name}");
        assert_eq!(plan.life.reopen_after_ops, if is("reopen") { 8 } else { 0 }, "{name}");
        if let ["reopen", closed] = words[..] {
            assert_eq!(closed, format!("c{}", plan.life.closed.as_millis()));
            assert_eq!(plan.length, Length::Ops(320), "forty rings, however long they take");
        }
        // An op whose file is unknown when it is queued counts as unbounded.
        let both = plan.limits[0] == plan.limits[1];
        assert!(both || !(plan.force_async || plan.mix.linked), "{name}");
    }
}

#[test]
fn every_plan_of_the_grid_is_found_by_its_name() {
    for plan in all() {
        assert_eq!(builtin(&plan.name), Ok(plan));
    }
}

#[test]
fn plans_of_the_grid_differ_in_nothing_but_what_their_names_say() {
    for plan in all() {
        assert_eq!(plan.block_bytes, 4096);
        assert_eq!(plan.arrival, Arrival::Closed { pause: Duration::ZERO, min_complete: 1 });
        assert_eq!(plan.idle_timeout, Duration::from_secs(5));
        let bytes = u64::from(plan.files) * plan.file_blocks * u64::from(plan.block_bytes);
        let is_size = [16, 64, 256].map(|mib| mib << 20).contains(&bytes);
        assert!(is_size || plan.sockets.is_some(), "{}: {bytes}", plan.name);
        if let Length::Time(time) = plan.length {
            assert!(time <= Duration::from_millis(1500), "{}", plan.name);
        }
        assert!(plan.verify && plan.life.linger.is_zero() && plan.warmup.is_zero());
    }
}

#[test]
fn no_block_that_is_not_cached_is_read_twice() {
    let uncached = with(&["grid-reads-uncached-"]).unwrap_or_else(|error| panic!("{error}"));
    for plan in uncached {
        let blocks = u64::from(plan.files) * plan.file_blocks;
        assert!(matches!(plan.length, Length::Ops(ops) if ops <= blocks), "{}", plan.name);
    }
}

#[test]
fn lists_of_workloads_leave_the_grid_out() {
    let builtins = builtins().unwrap_or_else(|error| panic!("{error}"));
    assert!(builtins.iter().all(|plan| !plan.name.starts_with("grid-")));
}

#[test]
fn parts_of_names_choose_all_that_have_one_of_them() {
    assert_eq!(count(&[]), all().len());
    assert_eq!(count(&["grid-f4-"]), 25);
    assert_eq!(count(&["grid-f4-", "grid-f8-"]), 25 + 34);
    assert_eq!(count(&["grid-f4-", "grid-f4-d8-"]), 25, "each once");
    assert_eq!(count(&["grid-f4-d64-s16-l8-buffered"]), 1);
    assert_eq!(count(&["reopen-c"]), 9);
}

#[test]
fn a_redundant_point_runs_only_if_a_part_names_no_other() {
    let thinned = "grid-f4-d8-s0-l2-buffered";
    assert!(all().iter().all(|plan| plan.name != thinned));
    assert_eq!(with(&[thinned]).map(|plans| plans[0].name.clone()), Ok(thinned.to_owned()));
    assert_eq!(count(&["grid-f2-d64-s0-l2-"]), 2, "both open flags, and neither is in the grid");
    let shape = "f4-d8-s0-l64-buffered";
    assert!(builtin(&format!("grid-{shape}")).is_ok());
    assert_eq!(count(&["grid-f4-d8-s0-l64-"]), 1, "dsync alone is in the grid");
}

#[test]
fn an_unknown_part_is_reported_with_similar_names() {
    assert_eq!(
        with(&["f4-", "f8-d64-s5"]),
        Err("--grid: found `f8-d64-s5`, which is in no name of the grid (did you mean \
             `grid-f8-d64-s0-l2-dsync` or `grid-f8-d64-s0-l8-dsync` or \
             `grid-f8-d64-s1-l2-dsync`?); names are grid-[GROUP-[WORD-]]fF-dD-sS-lL-OPEN, see \
             `bench --list`"
            .to_owned())
    );
}

#[test]
fn an_unknown_grid_name_is_reported_with_similar_names() {
    let error = builtin("grid-f4-d64-s16-l9-buffered").expect_err("no such workload").to_string();
    assert!(error.contains("`grid-f4-d64-s16-l8-buffered`"), "{error}");
}
