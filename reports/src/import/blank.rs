//! A run of which nothing is known yet: what importers fill in as far as their tool says it.

use std::collections::BTreeMap;

use iowq_contract::{
    Blocking, Churn, Host, Kinds, Latency, NAME_BYTES_MAX, Ops, Overrides, Probe, Record, Role,
    RunKey, SCHEMA, Settings, Tier, Workers,
};

use crate::format::clip;

/// The value of a field that the other tool does not write.
pub(super) const UNKNOWN: &str = "unknown";

/// The longest text that is taken: whatever characters are in it, records may have it as a name.
pub(super) const NAME_CHARS_MAX: usize = NAME_BYTES_MAX / 4;

/// A run that `tool` measured and that watched no workers. Its host and settings are unknown, and so
/// are its length and all that was counted. `policy` is `kernel` if the running kernel's rules were in
/// force.
pub(super) fn record(tool: &str, policy: &str) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        started: UNKNOWN.to_owned(),
        since_boot: None,
        duration_ns: 0,
        key: RunKey {
            workload: UNKNOWN.to_owned(),
            engine: tool.to_owned(),
            policy: policy.to_owned(),
            set: Overrides::default(),
            round: 0,
            position: 0,
            seed: 0,
            role: Role::Measured,
            boot: None,
        },
        settings: settings().into(),
        settings_unset: None,
        asked: None,
        ops: Ops::default(),
        latency: Latency::default(),
        tasks: Vec::new(),
        dispatch: Kinds::default(),
        workers: Workers::default(),
        timeline: Vec::new(),
        churn: Churn::default(),
        probe: Probe {
            tier: Tier::Off,
            reason: format!("{tool} does not watch workers"),
            events_seen: 0,
            events_lost: 0,
            lost: BTreeMap::new(),
            switches_missed: 0,
            switches: None,
            unseen: Vec::new(),
        },
        blocking: Blocking::Kernel,
        files: None,
        host: host().into(),
        load: None,
        phases: None,
        caveats: Vec::new(),
        error: None,
    }
}

/// A name as records may have it.
pub(super) fn name(text: &str) -> String {
    let name = clip(text.trim(), NAME_CHARS_MAX);
    if name.is_empty() { UNKNOWN.to_owned() } else { name }
}

pub(super) fn settings() -> Settings {
    Settings {
        summary: String::new(),
        patches: Vec::new(),
        files: 0,
        block_bytes: 0,
        depth: 0,
        limit_bounded: 0,
        limit_unbounded: 0,
        idle_timeout_ms: 0,
        arrival: UNKNOWN.to_owned(),
        watched_ms: Some(0),
        cpus: None,
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
    }
}

pub(super) fn host() -> Host {
    let unknown = || UNKNOWN.to_owned();
    Host {
        kernel: unknown(),
        cpu: unknown(),
        cpus: 0,
        memory_bytes: 0,
        filesystem: unknown(),
        mount_options: unknown(),
        device: unknown(),
        governor: unknown(),
        accelerator: unknown(),
        commit: unknown(),
        rustc: unknown(),
        profile: unknown(),
    }
}
