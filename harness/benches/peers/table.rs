//! The tables of a benchmark: medians and ranges of rounds, and what must be known to read them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::Options;
use crate::measure::{Figures, Point};
use crate::record::{Run, workload};
use crate::spread::{median, range};

/// The whole text of peers.txt.
pub fn text(options: &Options, contenders: &[String], points: &[Point], runs: &[Run]) -> String {
    let mut text = format!(
        "{} rounds of {} ms, in turn, each run a process of its own. Median (least to most).\n\
         Latency of one op in sixteen, from hand-over to reaping; processor time of the whole \
         process.\n{}\n",
        options.rounds,
        options.millis,
        load(runs)
    );
    let places = points.iter().filter(|point| !point.place.is_empty());
    let places: BTreeSet<_> = places.map(|point| (&point.place, &point.dir)).collect();
    for (place, dir) in places {
        let _ = writeln!(text, "{place}: {}", dir.display());
    }
    for point in points {
        let _ = write!(text, "\n{}", heading(point, runs));
        for contender in contenders {
            let of_point =
                |run: &&Run| run.order.point == *point && run.order.contender == *contender;
            let figures: Vec<&Figures> =
                runs.iter().filter(of_point).map(|run| &run.figures).collect();
            text.push_str(&row(contender, &figures));
        }
    }
    text
}

/// What else ran meanwhile.
fn load(runs: &[Run]) -> String {
    let of = |of: fn(&Run) -> Option<f64>| median(runs.iter().filter_map(of).collect());
    let others = of(|run| run.figures.load.others_cpus);
    let steal = of(|run| run.figures.load.steal);
    format!(
        "Median of all runs: other processes kept {others:.2} processors busy, {:.1} % was stolen.\n\
         The pool is told that a no-op does not block; the others need not be told.",
        100.0 * steal
    )
}

fn heading(point: &Point, runs: &[Run]) -> String {
    let name = runs.iter().find(|run| run.order.point == *point).map(|run| workload(&run.order));
    format!(
        "{:<34} {:>26} {:>9} {:>9} {:>9}\n",
        name.unwrap_or_default(),
        "thousand ops/s",
        "p50 us",
        "p99 us",
        "cpu ns/op"
    )
}

fn row(contender: &str, figures: &[&Figures]) -> String {
    let of = |what: fn(&Figures) -> f64| figures.iter().map(|one| what(one)).collect::<Vec<_>>();
    format!(
        "  {contender:<32} {:>26} {:>9.1} {:>9.1} {:>9.0}\n",
        range(of(|one| one.per_s() / 1e3), 1),
        median(of(|one| one.latency.p50_ns as f64 / 1e3)),
        median(of(|one| one.latency.p99_ns as f64 / 1e3)),
        median(of(Figures::cpu_ns_per_op)),
    )
}
