//! Writes a made-up record: to look at a page without measuring, or to time a long run.
//!
//! `synthetic FILE [PAIRS]` writes a bench; `synthetic FILE long POINTS` two runs whose timelines
//! have that many points each; `synthetic FILE kernel` a bench with io_uring beside the policies;
//! `synthetic FILE grid` 192 workloads on io_uring and under presets; `synthetic FILE ops NUMBER` a
//! run of that many operations.

use std::error::Error;
use std::fs;

use iowq_sample as sample;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, records) = match arguments.as_slice() {
        [file] => (file, sample::bench(3)),
        [file, word] if word == "kernel" => (file, sample::bench_with_kernel(3)),
        [file, word] if word == "grid" => (file, sample::grid(&sample::LARGE, 3)),
        [file, pairs] => (file, sample::bench(pairs.parse()?)),
        [file, word, points] if word == "long" => {
            let points = points.parse()?;
            let runs = ["6.12", "6.17"].map(|policy| sample::long_run(policy, points));
            (file, runs.into())
        }
        [file, word, ops] if word == "ops" => {
            (file, vec![sample::run_of_ops("dsync", "6.17", 0, ops.parse()?)])
        }
        _ => return Err("synthetic FILE [PAIRS | kernel | grid | long POINTS | ops NUMBER]".into()),
    };
    fs::write(file, sample::lines(&records))?;
    Ok(())
}
