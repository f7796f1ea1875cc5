//! The whole way from plan to figures in no time: the driver on a scripted engine.

mod agenda;
mod engine;

use std::time::Duration;

use iowq_harness::drive::{DriveStats, Driver};
use iowq_harness::engine::buffers::Buffers;
use iowq_harness::engine::{Engine, EngineReport};
use iowq_pool::PoolTally;
use iowq_pool::policy::Registry;
use iowq_pool::teardown;
use iowq_workloads::{Ledger, OpKind, Plan, builtin};

use engine::{Script, Scripted};

/// Writes into the page cache, fsyncs that wait for a device.
const SLOW_FSYNC: Script = Script {
    calls: |kind| match kind {
        OpKind::Fsync => (Duration::from_micros(20), Duration::from_millis(3)),
        OpKind::Nop => (Duration::from_micros(1), Duration::ZERO),
        _ => (Duration::from_micros(20), Duration::ZERO),
    },
    creation: Duration::from_micros(40),
    wake: Duration::from_micros(30),
};

fn run(plan: &Plan, name: &str, script: Script, seed: u64) -> (DriveStats, EngineReport) {
    let policy = Registry::builtin().parse(name).expect(name).build();
    let mut engine = Box::new(Scripted::new(plan, policy, script, seed));
    let mut buffers = Buffers::new(plan);
    let mut ledger = Ledger::new(plan);
    let driver = Driver::new(plan, seed, &mut *engine, &mut buffers, &mut ledger, &|| {});
    let driven = driver.run().expect("a script has no ring to fail");
    (driven, engine.finish())
}

fn tally(plan: &Plan, name: &str, seed: u64) -> PoolTally {
    let (driven, remains) = run(plan, name, SLOW_FSYNC, seed);
    let tally = remains.tally.expect("the pool keeps books");
    assert_eq!((driven.failed, tally.created), (0, tally.exited));
    tally
}

fn plan(name: &str) -> Plan {
    builtin(name).expect(name)
}

#[test]
fn the_same_plan_script_and_seed_give_the_same_run() {
    let plan = plan("fsync-mix");
    let figures = |seed| {
        let (driven, remains) = run(&plan, "6.12", SLOW_FSYNC, seed);
        (driven.done, driven.measured_until, remains.tally, remains.lives)
    };
    assert_eq!(figures(1), figures(1));
    assert_ne!(figures(1), figures(2));
}

#[test]
fn on_writes_and_fsyncs_6_12_makes_twenty_times_the_workers_of_6_17() {
    let plan = plan("fsync-mix");
    for seed in 1..=3 {
        let (old, new) = (tally(&plan, "6.12", seed), tally(&plan, "6.17", seed));
        assert!(old.created >= 20 * new.created, "{old:?} {new:?}");
        // What made the difference: requests that met a free worker.
        assert_eq!(old.requests_woken, 0);
        assert!(new.requests_woken > old.created, "{new:?}");
    }
}

#[test]
fn churn_is_bound_by_the_limit_and_the_idle_timeout() {
    let short = plan("fsync-mix");
    let stock = Plan { idle_timeout: Duration::from_secs(5), ..short.clone() };
    let limit = u64::from(short.limits[0]);
    for seed in 1..=3 {
        // Three seconds are over before a worker idled for five: they are made once.
        assert_eq!(tally(&stock, "6.12", seed).created, limit);
        // Twelve timeouts of 250 ms: the pool is renewed about as often.
        let renewed = tally(&short, "6.12", seed).created / limit;
        assert!((6..=13).contains(&renewed), "{renewed} times");
        // If few are made, few time out.
        assert!(tally(&short, "6.17", seed).created < limit / 2);
    }
}

#[test]
fn the_limit_is_kept_but_by_the_patch_as_posted() {
    let plan = plan("limit");
    let peak = |name| {
        let lives = run(&plan, name, SLOW_FSYNC, 1).1.lives;
        let alive = lives.iter().scan(0_i32, |alive, (_, born, _)| {
            *alive += if *born { 1 } else { -1 };
            Some(*alive)
        });
        alive.max().unwrap_or_default()
    };
    for name in ["6.12", "6.16", "6.17", "exit-on-idle"] {
        assert_eq!(peak(name), 8, "{name}");
    }
    assert!(peak("6.17-as-posted") > 16);
}

#[test]
fn after_the_last_close_a_worker_stays_unless_they_leave_on_idle() {
    let plan = plan("ring-close");
    let lingered = |name| {
        let (driven, remains) = run(&plan, name, SLOW_FSYNC, 1);
        let last = remains.lives.last().expect("workers came and went").0;
        Duration::from_nanos(last.since(driven.closed))
    };
    assert!(lingered("6.17") >= plan.life.linger);
    let deciles = teardown::measured();
    let (least, most) = (deciles[0], deciles[10]);
    let last_gone = lingered("exit-on-idle");
    assert!(last_gone >= least && last_gone < most + Duration::from_millis(1), "{last_gone:?}");
}

/// Forty rings of eight ops, one after the other, `closed_ms` apart.
fn forty_rings(closed_ms: u32) -> Plan {
    let text = format!(
        "[files]\ncount = 2\nsize_mib = 4\n[mix]\nwrites_per_fsync = 4\n\
         [ring]\ndepth = 8\nreopen_after_ops = 8\nclosed_ms = {closed_ms}\n[run]\nops = 320"
    );
    Plan::parse("rings", "rings.toml", &text).expect("a valid spec")
}

#[test]
fn exit_on_idle_costs_workers_only_if_no_ring_is_open_after_a_teardown() {
    // Workers created on Linux 6.18.44, least and most of nearly all runs that were seen. How many each ring
    // needs is the script's own, so that the last row, in which each ring makes its own, is the measure
    // of the others.
    const KERNEL: [(u32, u64, u64); 6] =
        [(0, 4, 4), (1, 5, 5), (5, 5, 5), (10, 3, 12), (20, 116, 141), (50, 157, 157)];
    let created = |closed_ms| tally(&forty_rings(closed_ms), "exit-on-idle", 1).created;
    let all = created(50);
    for (closed_ms, least, most) in KERNEL {
        let scaled = created(closed_ms) * 157 / all;
        let enough = scaled * 3 >= least * 2 || scaled + 3 >= least;
        let few_enough = scaled * 2 <= most * 3 || scaled <= most + 3;
        assert!(enough && few_enough, "{closed_ms} ms: {scaled}, not {least} to {most}");
        let plan = forty_rings(closed_ms);
        assert!(tally(&plan, "6.17", 1).created <= 8, "{closed_ms} ms: they stay");
    }
}

#[test]
fn an_open_loop_that_falls_behind_is_given_up_after_twice_its_length() {
    let text = "[arrival]\npattern = \"rate\"\nper_s = 200000\n[mix]\nwrites_per_fsync = 1\n\
                [ring]\ndepth = 8\n[run]\nseconds = 2";
    let plan = Plan::parse("overload", "overload.toml", text).expect("a valid spec");
    let (driven, _) = run(&plan, "6.17", SLOW_FSYNC, 1);
    let took = Duration::from_nanos(driven.measured_until.since(driven.measured_from));
    assert!(took >= Duration::from_secs(4) && took < Duration::from_millis(4100), "{took:?}");
    assert!(driven.done < 100_000, "{} of 400,000", driven.done);
}
