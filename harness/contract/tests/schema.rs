//! The published schema is the one that the types give, and it accepts a record as it is written.

use std::path::{Path, PathBuf};

use iowq_contract::trace::trace_json_schema;
use iowq_contract::{Record, SCHEMA, json_schema};
use serde_json::{Value, json};

fn schema_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name)
}

/// A small record with every field that a script may rely on.
fn sample() -> Value {
    let quantiles = json!({
        "count": 3, "p50_ns": 2, "p90_ns": 3, "p99_ns": 3, "p999_ns": 3, "max_ns": 3, "hdr_v2": ""
    });
    json!({
        "schema": SCHEMA,
        "started": "2026-11-21T02:00:00Z",
        "duration_ns": 3_000_000_000_u64,
        "key": {
            "workload": "fsync-mix", "engine": "pool", "policy": "6.12",
            "round": 0, "position": 0, "seed": 1
        },
        "settings": {
            "summary": "writes and fsyncs on several files", "patches": [], "files": 4,
            "block_bytes": 4096, "depth": 16, "limit_bounded": 64, "limit_unbounded": 64,
            "idle_timeout_ms": 250, "arrival": "closed loop"
        },
        "ops": { "done": 3, "failed": 0, "per_s": 1.0 },
        "latency": { "response": { "all": quantiles }, "service": { "all": quantiles } },
        "workers": {
            "created": { "probe": 2, "engine": 2, "proc": null },
            "exited": { "probe": 1, "engine": 1, "proc": null },
            "peak": 2, "created_per_1000_ops": 666.7, "linger_ms": null, "creations_failed": 0
        },
        "timeline": [[0, 0], [1_000, 2]],
        "churn": { "slice_ns": 1_000, "births": [2], "deaths": [1] },
        "probe": { "tier": "bpf", "reason": "", "events_seen": 3, "events_lost": 0 },
        "blocking": "sched",
        "host": {
            "kernel": "6.12.0", "cpu": "unknown", "cpus": 2, "memory_bytes": 1, "filesystem": "ext4",
            "mount_options": "rw", "device": "vda", "governor": "unknown",
            "accelerator": "none seen", "commit": "unknown", "rustc": "unknown",
            "profile": "release"
        },
        "caveats": [{ "code": "debug-build", "text": "built without optimisation" }]
    })
}

/// Set `IOWQ_UPDATE_SCHEMA=1` to write the files after a wanted change of a format.
#[test]
fn the_committed_schemas_are_the_generated_ones() {
    for (name, schema) in [("run-2.json", json_schema()), ("trace-1.json", trace_json_schema())] {
        let mut generated = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        generated.push('\n');
        let path = schema_path(name);
        if std::env::var_os("IOWQ_UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &generated).expect("the schema can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{} is not what the types say: run this test with IOWQ_UPDATE_SCHEMA=1 and commit the \
             file",
            path.display()
        );
    }
}

#[test]
fn a_record_is_valid_before_and_after_a_round_trip() {
    let validator = jsonschema::validator_for(&json_schema()).expect("the schema is a schema");
    let before = sample();
    assert!(validator.is_valid(&before));
    let record: Record = serde_json::from_value(before).expect("the sample is a record");
    let after = serde_json::to_value(&record).expect("a record is JSON");
    assert!(validator.is_valid(&after));
}

#[test]
fn what_is_not_a_record_is_refused() {
    let validator = jsonschema::validator_for(&json_schema()).expect("the schema is a schema");
    for (pointer, wrong) in [
        ("/ops/done", json!(-1)),
        ("/ops/per_s", json!(null)),
        ("/blocking", json!("guessed")),
        ("/timeline", json!([[0]])),
        ("/key", json!({})),
    ] {
        let mut record = sample();
        *record.pointer_mut(pointer).expect("the field is there") = wrong;
        assert!(!validator.is_valid(&record), "{pointer} was accepted");
    }
}

/// What scripts wrote down before names changed is read as it was.
#[test]
fn a_record_of_the_first_version_is_read_by_its_former_names() {
    let current = sample();
    let mut former = current.clone();
    for (at, now, then) in
        [("", "key", "cell"), ("/cell", "round", "pair"), ("/settings", "patches", "switches")]
    {
        let object = former.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
        let value = object.remove(now).expect("the field is there");
        object.insert(then.to_owned(), value);
    }
    former["punts"] = json!({ "write": { "inline": 1, "hashed": 2, "unhashed": 0, "linked": 0 } });
    former["schema"] = json!("iowq-lab/run/1");
    let former: Record = serde_json::from_value(former).expect("a record of the first version");
    assert_eq!(former.dispatch["write"].hashed, 2);
    let current: Record = serde_json::from_value(current).expect("a record");
    assert_eq!((former.key, former.settings), (current.key, current.settings));
}
