//! A spec is read once: what is edited while a bench runs changes none of its runs.

use crate::support::{Place, Running, TINY};

#[test]
fn a_spec_that_is_edited_during_a_bench_changes_none_of_its_runs() {
    let place = Place::new();
    let arguments = ["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "3"];
    let bench = Running::start(&mut place.bench(&arguments));
    let line = bench.line();
    assert!(line.starts_with("1/3  tiny.toml under 6.17: "), "{line}");
    place.write("tiny.toml", &TINY.replace("depth = 8", "depth = 1\nforce_async = true"));
    assert!(bench.line().starts_with("2/3"));
    place.write("tiny.toml", "this is no spec");
    let (status, said) = bench.end();
    assert!(status.success(), "{said:?}");
    let records = place.records();
    assert_eq!(records.len(), 3);
    for record in &records {
        assert_eq!(record["settings"], records[0]["settings"]);
        let plan = &record["settings"]["plan"];
        assert_eq!(
            (&plan["force_async"], &plan["length_ns"]),
            (&false.into(), &200_000_000.into())
        );
        assert_eq!(plan["digest"].as_str().map(str::len), Some(64));
    }
}
