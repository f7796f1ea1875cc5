//! What the birth of a worker cost, in the pool and in the kernel: medians of runs.

use iowq_contract::{Birth, Record};

use crate::format;
use crate::runs::figures::Spread;
use crate::runs::group::{POOL, Section, URING};

/// Reads one figure of a run.
type Figure = fn(&Birth) -> Option<u64>;

/// The facts of a section; none of what no run has.
pub(crate) fn facts(section: &Section<'_>) -> Vec<(&'static str, String)> {
    let runs: Vec<&Record> = section.records().collect();
    let of = |engine: &str| -> Vec<&Birth> {
        let of = runs.iter().filter(|run| run.key.engine == engine);
        of.filter_map(|run| run.workers.birth.as_ref()).collect()
    };
    let all: Vec<&Birth> = runs.iter().filter_map(|run| run.workers.birth.as_ref()).collect();
    let seen: [(&str, Figure); 2] = [
        ("to its creator", |one| one.creator_ns_p50),
        ("from creation to its first instruction", |one| one.start_ns_p50),
    ];
    let before: [(&str, Figure); 2] = [
        ("to the creator of a thread like the pool's", |one| one.before_thread_ns_p50),
        ("to that of a worker of io-wq", |one| one.before_kernel_ns_p50),
    ];
    let facts = [
        ("birth in the pool", text(&of(POOL), &seen)),
        ("birth in io_uring", text(&of(URING), &seen)),
        ("birth before the runs", text(&all, &before)),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// `18 µs to its creator, 42 µs from creation to its first instruction`.
fn text(births: &[&Birth], figures: &[(&str, Figure)]) -> String {
    let of = |(what, figure): &(&str, Figure)| {
        let known = births.iter().filter_map(|one| figure(one)).map(|ns| ns as f64).collect();
        Some(format!("{} {what}", format::duration(Spread::of(known)?.median)))
    };
    figures.iter().filter_map(of).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group::sections;

    #[test]
    fn a_birth_has_a_fact_for_each_engine_and_one_for_the_idle_machine() {
        let mut runs = vec![sample::run("dsync", "6.17", 0), sample::kernel_run("dsync", 0)];
        let found = facts(&sections(&runs)[0]);
        let pool = "18\u{a0}µs to its creator, 42\u{a0}µs from creation to its first instruction";
        assert_eq!(found[0], ("birth in the pool", pool.to_owned()));
        let kernel = "42\u{a0}µs from creation to its first instruction";
        assert_eq!(found[1], ("birth in io_uring", kernel.to_owned()));
        assert_eq!((found[2].0, found.len()), ("birth before the runs", 3));
        runs.iter_mut().for_each(|run| run.workers.birth = None);
        assert!(facts(&sections(&runs)[0]).is_empty(), "records before it was measured");
    }
}
