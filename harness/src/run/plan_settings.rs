//! A plan as a record has it, with a digest of all that decides what is run.

use std::time::Duration;

use iowq_contract::{
    ArrivalSettings, BlockSize, LaterSettings, LogSettings, MixSettings, PlanSettings,
    SocketSettings, TaskSettings,
};
use iowq_workloads::{
    Arrival, Later, Length, Log, Meta, Mix, OpSize, Open, Plan, Sockets, Task, bucket,
};
use sha2::{Digest as _, Sha256};

use crate::clock::duration_ns;

/// The plan, for the settings of a record.
pub(super) fn plan_settings(plan: &Plan) -> PlanSettings {
    let (ops, time) = match plan.length {
        Length::Ops(ops) => (Some(ops), None),
        Length::Time(time) => (None, Some(time)),
        Length::Either { ops, time } => (Some(ops), Some(time)),
    };
    PlanSettings {
        digest: digest(plan),
        length_ns: time.map(duration_ns),
        length_ops: ops,
        warmup_ns: duration_ns(plan.warmup),
        file_bytes: plan.file_blocks * u64::from(plan.block_bytes),
        block_sizes: plan.sizes.iter().map(|size| block_size(size, plan)).collect(),
        open: of_mix(plan, plan.open.iter().map(|&it| open(it))),
        state: of_mix(plan, plan.state.iter().map(|it| it.name())),
        cached: plan.cached,
        order: plan.mix.order.to_string(),
        collide: collide(plan),
        sockets: plan.sockets.map(sockets),
        mix: mix(plan.mix),
        log: plan.log.map(|it| log(it, plan)),
        pattern: pattern(plan.arrival),
        force_async: plan.force_async,
        ring: plan
            .only
            .fields()
            .filter_map(|field| field.strip_prefix("ring."))
            .map(str::to_owned)
            .collect(),
        later: plan.later.map(later),
        worker_cpus: plan.only.worker_cpus.clone(),
        reopen_after_ops: plan.life.reopen_after_ops,
        closed_ns: duration_ns(plan.life.closed),
        linger_ns: duration_ns(plan.life.linger),
        idle_timeout_ns: duration_ns(plan.idle_timeout),
        kernel_limits: plan.kernel_limits,
        verify: plan.verify,
        tasks: plan.tasks.iter().map(task).collect(),
    }
}

fn task(task: &Task) -> TaskSettings {
    let plan = &task.plan;
    TaskSettings {
        name: task.name.clone(),
        count: task.count,
        files: plan.files,
        block_bytes: u64::from(plan.block_bytes),
        depth: plan.depth,
        limit_bounded: plan.limits[0],
        limit_unbounded: plan.limits[1],
        plan: plan_settings(plan),
    }
}

/// A digest of the plan as it is handed on, so that a field which is added to it is in there too.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    // A plan has nothing that JSON has not.
    let text = serde_json::to_vec(&plan.canonical()).unwrap_or_default();
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the plan wants several files in one bucket.
pub(super) fn collide(plan: &Plan) -> bool {
    let mut buckets: Vec<u32> = plan.hash_ids.iter().map(|&id| bucket::bucket(id)).collect();
    buckets.dedup();
    plan.files > 1 && buckets.len() == 1
}

/// What is said of each file, for those of the mix: one word if it is the same of all.
fn of_mix<'a>(plan: &Plan, words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words: Vec<String> =
        words.skip(plan.first_of_mix() as usize).map(str::to_owned).collect();
    if words.iter().all(|word| Some(word) == words.first()) {
        words.truncate(1);
    }
    words
}

fn block_size(size: &OpSize, plan: &Plan) -> BlockSize {
    let bytes = u64::from(size.blocks) * u64::from(plan.block_bytes);
    BlockSize { bytes, weight: size.weight }
}

fn open(open: Open) -> &'static str {
    match open {
        Open::Buffered => "buffered",
        Open::Dsync => "dsync",
        Open::Sync => "sync",
        Open::Direct => "direct",
    }
}

fn later(later: Later) -> LaterSettings {
    let [bounded, unbounded] = later.limits;
    LaterSettings { after_ns: duration_ns(later.after), bounded, unbounded }
}

fn sockets(sockets: Sockets) -> SocketSettings {
    let Sockets { kind, answer } = sockets;
    SocketSettings { kind: kind.name().to_owned(), answer_ns: duration_ns(answer) }
}

fn mix(mix: Mix) -> MixSettings {
    // The order of blocks stands beside it.
    let Mix { write, read, fallocate, nop, receive, send, splice, order: _, .. } = mix;
    let Mix { writes_per_fsync, data_only, linked, meta, .. } = mix;
    let Meta { openat, statx, rename, unlink, truncate, sync_file_range } = meta;
    MixSettings {
        write,
        read,
        fallocate,
        nop,
        receive,
        send,
        splice,
        writes_per_fsync,
        data_only,
        linked,
        openat,
        statx,
        rename,
        unlink,
        truncate,
        sync_file_range,
    }
}

fn log(log: Log, plan: &Plan) -> LogSettings {
    let Log { weight, writes_per_fsync } = log;
    let open = plan.open.first().map_or("", |&it| open(it)).to_owned();
    let state = plan.state.first().map_or("", |it| it.name()).to_owned();
    LogSettings { weight, open, state, writes_per_fsync }
}

fn pattern(arrival: Arrival) -> ArrivalSettings {
    let named = |name: &str| ArrivalSettings { name: name.to_owned(), ..Default::default() };
    let ns = |time: Duration| Some(duration_ns(time));
    match arrival {
        Arrival::Closed { pause, min_complete } => ArrivalSettings {
            pause_ns: ns(pause),
            min_complete: Some(min_complete),
            ..named("closed")
        },
        Arrival::Rate { per_s } => ArrivalSettings { per_s: Some(per_s), ..named("rate") },
        Arrival::Poisson { per_s } => ArrivalSettings { per_s: Some(per_s), ..named("poisson") },
        Arrival::Bursts { ops, gap } => {
            ArrivalSettings { burst_ops: Some(ops), gap_ns: ns(gap), ..named("bursts") }
        }
    }
}

#[cfg(test)]
mod tests {
    use iowq_workloads::builtin;

    use super::*;

    fn of(spec: &str) -> PlanSettings {
        plan_settings(&Plan::parse("x", "x.toml", spec).expect("a valid spec"))
    }

    #[test]
    fn the_digest_is_of_all_but_the_name_the_prose_and_the_seed() {
        let plain = of("");
        assert_eq!(plain.digest.len(), 64);
        let worded = Plan::parse("y", "y.toml", "summary = \"s\"\n[run]\nseed = 9");
        assert_eq!(plan_settings(&worded.expect("a valid spec")).digest, plain.digest);
        for spec in [
            "[files]\nopen = \"dsync\"",
            "[files]\nsize_mib = 1",
            "[files]\nblock_bytes = [{ bytes = 4096 }, { bytes = 8192 }]",
            "[files]\norder = \"random\"",
            "[files]\norder = \"zipf:1.2\"",
            "[files]\nstate = \"fresh\"",
            "[mix]\nread = 1",
            "[ring]\nforce_async = true",
            "[ring]\nlinger_ms = 1",
            "[run]\nseconds = 9",
            "[run]\nverify = false",
            "[workers]\nidle_timeout_ms = 1",
        ] {
            let other = of(spec);
            assert_ne!(other.digest, plain.digest, "{spec}");
            assert_ne!(PlanSettings { digest: plain.digest.clone(), ..other }, plain, "{spec}");
        }
    }

    #[test]
    fn files_that_are_opened_alike_are_one_word_and_the_log_stands_apart() {
        assert_eq!(of("[files]\ncount = 3\nopen = \"direct\"").open, ["direct"]);
        let mixed =
            of("[files]\ncount = 2\nopen = [\"sync\", \"buffered\"]\n[log]\nopen = \"dsync\"");
        assert_eq!(mixed.open, ["sync", "buffered"]);
        assert_eq!(mixed.log.map(|log| log.open).as_deref(), Some("dsync"));
        assert!(plan_settings(&builtin("collide").expect("a built-in workload")).collide);
    }

    #[test]
    fn a_plan_is_handed_on_without_a_loss() {
        for plan in iowq_workloads::builtins().expect("they are valid") {
            let text = serde_json::to_string(&plan).expect("a plan is JSON");
            assert_eq!(serde_json::from_str::<Plan>(&text).expect("it is a plan"), plan);
        }
    }
}
