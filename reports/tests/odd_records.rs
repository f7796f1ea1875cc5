//! Odd records, through all that comes of a comparison: whatever stands in a record that the loader
//! takes, nothing panics, no line is too wide, and what has no value says why.

use std::sync::LazyLock;

use iowq_contract::{Counts, Record, Role};
use iowq_reports::compare::set::Set;
use iowq_reports::compare::{self, Comparison, Finding, Rules, compare, ktap};
use iowq_reports::load::{self, Loaded};
use iowq_sample as sample;
use proptest::prelude::*;

/// What one run is changed to.
#[derive(Clone, Debug)]
struct Odd {
    per_s: f64,
    created: Option<f64>,
    cpu_ns: Option<u64>,
    done: u64,
    count: u64,
    times_ns: [u64; 5],
    position: Option<u32>,
    started: Option<String>,
    delay_ns: Option<u64>,
}

fn number() -> impl Strategy<Value = f64> {
    let ends = vec![0.0, 5e-324, 1e-300, 1e300, f64::MAX, 1.0, 1000.0];
    prop_oneof![prop::sample::select(ends), 0.0..1e6_f64]
}

fn whole() -> impl Strategy<Value = u64> {
    let ends = vec![0, 1, 99_999, 100_000, 1 << 63, u64::MAX];
    prop_oneof![prop::sample::select(ends), 0..10_000_000_u64]
}

fn times() -> impl Strategy<Value = [u64; 5]> {
    prop::array::uniform5(whole()).prop_map(|mut times| {
        times.sort_unstable();
        times
    })
}

fn odd() -> impl Strategy<Value = Odd> {
    let started = prop::option::weighted(0.05, "[0-9]{4}-0[1-9]-1[0-9]T0[0-9]:00:00Z|[a-z ]{0,9}");
    let rare = (prop::option::weighted(0.05, 0..9_u32), started, prop::option::of(whole()));
    let ops = (number(), prop::option::of(number()), prop::option::of(whole()), whole());
    (ops, whole(), times(), rare).prop_map(|(ops, count, times_ns, rare)| Odd {
        per_s: ops.0,
        created: ops.1,
        cpu_ns: ops.2,
        done: ops.3,
        count,
        times_ns,
        position: rare.0,
        started: rare.1,
        delay_ns: rare.2,
    })
}

/// Ten rounds of base, test, noise and control, made once: they are what takes its time.
static BENCH: LazyLock<Vec<Record>> = LazyLock::new(|| {
    let mut records = sample::pairs(10, |_| ());
    records = sample::with_role(records, Role::Noise, |_| ());
    records = sample::with_role(records, Role::Control, |_| ());
    records.iter_mut().for_each(|record| record.latency.drop_histograms());
    records
});

fn spoil(run: &mut Record, odd: Odd) {
    (run.ops.done, run.ops.cpu_ns) = (odd.done, odd.cpu_ns);
    // A duration that fits into 64 bits, and workers that do.
    run.ops.per_s = if odd.done == 0 { 0.0 } else { odd.per_s.max(odd.done as f64 / 1e9) };
    let most = 1e18 / odd.done as f64;
    run.workers.created_per_1000_ops = odd.created.map(|per_1000| per_1000.min(most));
    let created = run.workers.created_per_1000_ops;
    let created = created.map(|per_1000| (per_1000 * odd.done as f64 / 1e3).ceil() as u64);
    run.workers.created = Counts { probe: created, ..Counts::default() };
    (run.workers.exited, run.workers.born_measured) = (Counts::default(), None);
    let peak = u32::from(created.is_some_and(|created| created > 0));
    (run.workers.fill_measured, run.workers.peak) = (None, Some(peak));
    run.settings.injected_delay_ns = odd.delay_ns.filter(|_| run.key.role == Role::Control);
    run.key.position = odd.position.unwrap_or(run.key.position);
    run.started = odd.started.unwrap_or_else(|| run.started.clone());
    for clock in [&mut run.latency.response, &mut run.latency.service] {
        if let Some(all) = clock.get_mut("all") {
            all.count = odd.count.min(odd.done);
            let [p50_ns, p90_ns, p99_ns, p999_ns, max_ns] = odd.times_ns;
            (all.p50_ns, all.p90_ns, all.p99_ns) = (p50_ns, p90_ns, p99_ns);
            (all.p999_ns, all.max_ns) = (p999_ns, max_ns);
        }
    }
}

fn set<'a>(loaded: &'a Loaded, policy: &str) -> Set<'a> {
    let runs = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
    let runs = runs.filter(|run| run.key.policy == policy).collect();
    Set::new(policy.to_owned(), 0, loaded, runs)
}

fn findings(one: &Comparison) -> impl Iterator<Item = &Finding> {
    one.primary.iter().chain(&one.advisory).chain(&one.noise)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_in_records_is_compared_or_says_why_not(
        odd in prop::collection::vec(prop::option::weighted(0.6, odd()), 40),
    ) {
        let mut records = BENCH.clone();
        for (run, odd) in records.iter_mut().zip(odd) {
            if let Some(odd) = odd {
                spoil(run, odd);
            }
        }
        // What the loader would not take is no record.
        let lines = sample::lines(&records);
        let loaded = load::read(lines.as_bytes(), std::path::Path::new("record.jsonl"));
        prop_assume!(loaded.is_ok());
        let loaded = loaded.unwrap_or_default();
        let sets = [set(&loaded, "6.12"), set(&loaded, "6.17")];
        let found = compare(&sets, Rules { threshold: 0.05, alpha: 0.05 });
        prop_assert!([0, 1, 3].contains(&found.exit_code()));
        for finding in found.all.iter().flat_map(findings) {
            prop_assert_eq!(finding.estimate.is_none(), finding.missing.is_some(), "{:?}", finding);
            prop_assert!(finding.estimate.is_none_or(f64::is_finite), "{:?}", finding);
            let have = finding.points.len();
            prop_assert!(finding.pairs_needed.is_none_or(|pairs| pairs as usize > have));
            let least = finding.side_threshold();
            prop_assert!(finding.detectable.is_none_or(|effect| effect >= least));
        }
        let text = compare::text::text(&found);
        prop_assert!(text.is_ascii(), "{}", text);
        for line in text.lines() {
            prop_assert!(line.chars().count() <= compare::text::WIDTH, "{}", line);
        }
        for line in ktap::text(&found).lines().map(str::trim_start) {
            let known = ["KTAP version 1", "1..", "# ", "ok ", "not ok "];
            prop_assert!(known.iter().any(|start| line.starts_with(start)), "{}", line);
            prop_assert!(line.len() < 4000, "{}", line);
        }
        prop_assert!(compare::page::page(&found, &sets).is_ok());
        prop_assert!(serde_json::to_string(&found).is_ok());
    }
}
