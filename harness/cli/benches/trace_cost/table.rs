//! The table of costs.

use std::fmt::Write as _;

use super::Run;
use super::spread::range;

/// The whole text of trace-cost.txt.
pub fn text(rounds: u32, seconds: u32, runs: &[Run]) -> String {
    let mut text = format!(
        "What a trace of the whole machine costs: {rounds} rounds of {seconds} s each, in an order \
         drawn for each round.\nOps per second, and the share of the rate without a trace in the \
         same round: median (least to most).\n\n{:<24} {:<11} {:>30}  {:>22}\n",
        "load", "trace", "ops/s", "share"
    );
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for run in runs {
        if !rows.contains(&(run.load, run.watch)) {
            rows.push((run.load, run.watch));
        }
    }
    rows.sort_by_key(|(load, watch)| (*load, *watch != "none", *watch));
    for (load, watch) in rows {
        let of = |watch: &str| -> Vec<f64> {
            let mut of: Vec<_> =
                runs.iter().filter(|run| (run.load, run.watch) == (load, watch)).collect();
            of.sort_by_key(|run| run.round);
            of.into_iter().map(|run| run.ops_per_second).collect()
        };
        let (rates, without) = (of(watch), of("none"));
        let shares = rates.iter().zip(&without).map(|(rate, without)| rate / without).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{load:<24} {watch:<11} {:>30}  {:>22}",
            range(rates, 0),
            range(shares, 3)
        );
    }
    text
}
