//! The fidelity grid: whole, without repeats, and each plan what its name says.

use std::collections::BTreeSet;
use std::time::Duration;

use iowq_workloads::{Arrival, Length, Open, Plan, builtin, builtins, grid, grid_with};

fn all() -> Vec<Plan> {
    grid().unwrap_or_else(|error| panic!("{error}"))
}

/// Plans whose names contain one of these parts.
fn with(parts: &[&str]) -> Result<Vec<Plan>, String> {
    let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
    grid_with(&parts).map_err(|error| error.to_string())
}

#[test]
fn the_grid_has_192_plans_with_names_of_their_own() {
    let names: BTreeSet<String> = all().into_iter().map(|plan| plan.name).collect();
    assert_eq!(names.len(), 192);
    assert_eq!(all().len(), 192);
}

#[test]
fn a_name_of_the_grid_says_what_its_plan_is() {
    for plan in all() {
        let open = match plan.open[0] {
            Open::Dsync => "dsync",
            _ => "buffered",
        };
        let (files, depth, limit) = (plan.files, plan.depth, plan.limits[0]);
        let writes = plan.mix.writes_per_fsync;
        assert_eq!(plan.name, format!("grid-f{files}-d{depth}-s{writes}-l{limit}-{open}"));
        assert!(plan.open.iter().all(|other| *other == plan.open[0]), "{}", plan.name);
        assert!(plan.summary.ends_with('.') && plan.origin.ends_with('.'), "{}", plan.summary);
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
        assert_eq!(plan.length, Length::Time(Duration::from_millis(500)));
        assert_eq!(plan.idle_timeout, Duration::from_secs(5));
        assert_eq!(plan.limits[1], 64);
        assert_eq!(u64::from(plan.files) * plan.file_blocks, 65_536);
        assert!(plan.verify);
        assert!(plan.life.linger.is_zero() && plan.warmup.is_zero() && !plan.mix.linked);
    }
}

#[test]
fn lists_of_workloads_leave_the_grid_out() {
    let builtins = builtins().unwrap_or_else(|error| panic!("{error}"));
    assert!(builtins.iter().all(|plan| !plan.name.starts_with("grid-")));
}

#[test]
fn parts_of_names_choose_all_that_have_one_of_them() {
    assert_eq!(with(&[]).map(|plans| plans.len()), Ok(192));
    assert_eq!(with(&["f4-"]).map(|plans| plans.len()), Ok(48));
    assert_eq!(with(&["f4-", "f8-"]).map(|plans| plans.len()), Ok(96));
    assert_eq!(with(&["-dsync", "f4-"]).map(|plans| plans.len()), Ok(96 + 24));
    let one = with(&["grid-f4-d64-s16-l8-buffered"]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(one.len(), 1);
}

#[test]
fn a_part_that_no_name_has_is_answered_with_the_near_ones() {
    assert_eq!(
        with(&["f4-", "f8-d64-s5"]),
        Err("--grid: found `f8-d64-s5`, which is in no name of the grid (did you mean \
             `grid-f8-d64-s0-l2-dsync` or `grid-f8-d64-s0-l8-dsync` or \
             `grid-f8-d64-s1-l2-dsync`?); names are grid-fF-dD-sS-lL-OPEN, see `cargo xtask bench \
             --list`"
            .to_owned())
    );
}

#[test]
fn a_name_that_the_grid_does_not_have_is_answered_with_the_near_ones() {
    let error = builtin("grid-f4-d64-s16-l9-buffered").expect_err("no such workload").to_string();
    assert!(error.contains("`grid-f4-d64-s16-l8-buffered`"), "{error}");
}
