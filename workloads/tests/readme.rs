//! The reference of the spec format: what it shows is a valid spec, and says what holds by default.

use iowq_workloads::Plan;

fn example() -> String {
    let text = include_str!("../README.md");
    let (_, rest) = text.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    example.to_owned()
}

/// The example without what its comments call other than the default, and without the log.
fn defaults() -> String {
    let (before, rest) = example().split_once("[log]").map(own).expect("a log");
    let (_, after) = rest.split_once("\n[arrival]").map(own).expect("an arrival");
    let text = format!("{before}\n[arrival]{after}");
    text.lines().filter(|line| !line.contains("default:")).map(|line| format!("{line}\n")).collect()
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn the_example_is_a_valid_spec() {
    let plan = Plan::parse("example", "README.md", &example());
    let plan = plan.unwrap_or_else(|error| panic!("{error}"));
    assert!(plan.log.is_some());
    assert_eq!(plan.mix.writes_per_fsync, 4);
}

#[test]
fn the_example_shows_the_defaults() {
    let shown = Plan::parse("x", "x", &defaults()).unwrap_or_else(|error| panic!("{error}"));
    let said = "summary = \"One sentence on what it shows.\"\norigin = \"Where it comes from.\"\n\
                [run]\nseconds = 3\n";
    let default = Plan::parse("x", "x", said).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown, default);
}
