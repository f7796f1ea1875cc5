//! Programs whose files are replaced while they run, as by a build.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::interrupted::in_the_second_run;
use crate::support::{Place, Running, copy_programs};

#[test]
fn a_bench_goes_on_with_the_programs_that_it_began_with() {
    let place = Place::new();
    let programs = copy_programs(&place);
    let mut bench = Command::new(&programs[0]);
    bench.args(["bench", "--workload", "tiny.toml", "--policy", "6.17", "--pairs", "3"]);
    bench.args(["--dir", "files", "--out", "out"]).current_dir(place.home());
    let bench = Running::start(&mut bench);
    let first = bench.line();
    assert!(first.starts_with("1/3  tiny.toml under 6.17: "), "{first}");
    for program in &programs {
        fs::remove_file(program).expect("it is there");
        fs::write(program, "no program").expect("room");
    }
    let (status, said) = bench.end();
    assert_eq!(status.code(), Some(0), "{said:?}");
    let records = place.records();
    assert!(records.len() == 3 && records.iter().all(|record| record.get("error").is_none()));
    assert!(place.out().join("report.html").exists());
    place.assert_dir_is_empty();
}

#[test]
fn a_run_has_the_name_of_its_program() {
    let place = Place::new();
    let (bench, run) = in_the_second_run(&place);
    let name = fs::read_to_string(format!("/proc/{run}/comm")).expect("it is there");
    assert_eq!(name.trim(), "iowq-measure");
    bench.signal(Signal::INT);
    assert_eq!(bench.end().0.code(), Some(2));
}
