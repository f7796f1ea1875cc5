//! Edges: which package may depend on which. Data flows one way, and so do dependencies.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{none, tree::top};

/// Every package of the workspace, and the packages of it that its code may use.
const EDGES: [(&str, &[&str]); 11] = [
    (
        "iowq",
        &[
            "iowq-contract",
            "iowq-harness",
            "iowq-kernels",
            "iowq-pool",
            "iowq-reports",
            "iowq-trace",
            "iowq-workloads",
        ],
    ),
    ("iowq-contract", &["iowq-workloads"]),
    ("iowq-ebpf", &[]),
    ("iowq-harness", &["iowq-contract", "iowq-ebpf", "iowq-pool", "iowq-workloads"]),
    ("iowq-kernels", &["iowq-contract", "iowq-workloads"]),
    ("iowq-pool", &["iowq-workloads"]),
    ("iowq-reports", &["iowq-contract"]),
    ("iowq-sample", &["iowq-contract"]),
    ("iowq-trace", &["iowq-contract", "iowq-ebpf", "iowq-harness"]),
    ("iowq-workloads", &[]),
    ("xtask", &[]),
];

fn complaints(metadata: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut complaints = Vec::new();
    let packages = list(&metadata["packages"]);
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("package {name} is not in the table of edges"));
            continue;
        };
        let dependencies = list(&package["dependencies"]);
        let ours = dependencies.iter().filter(|one| one["path"].is_string());
        // A test may look at anything; what is shipped may not.
        let shipped = ours.filter(|one| one["kind"] != "dev");
        let mut used: Vec<_> = shipped.filter_map(|one| one["name"].as_str()).collect();
        used.sort_unstable();
        if used != *allowed {
            complaints.push(format!("{name} depends on {used:?}; it is to depend on {allowed:?}"));
        }
    }
    if packages.len() < EDGES.len() {
        complaints.push(format!("{} packages, {} expected", packages.len(), EDGES.len()));
    }
    complaints
}

#[test]
fn packages_depend_only_on_what_lies_upstream() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"]);
    let output = command.current_dir(top()).output().context("cannot start cargo metadata")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    none(&complaints(&serde_json::from_slice(&output.stdout)?));
    Ok(())
}

#[test]
fn an_edge_that_is_not_in_the_table_is_found() {
    let package = |name: &str, dependencies: Value| serde_json::json!({"name": name, "dependencies": dependencies});
    let edge = |name: &str, kind: Value| serde_json::json!({"name": name, "kind": kind, "path": "somewhere"});
    let of = |package: Value| {
        let found = complaints(&serde_json::json!({"packages": [package]}));
        found.into_iter().filter(|one| one.contains("depends on")).count()
    };
    let harness = edge("iowq-harness", Value::Null);
    assert_eq!(of(package("xtask", serde_json::json!([harness]))), 1);
    assert_eq!(of(package("xtask", serde_json::json!([edge("iowq-ebpf", "build".into())]))), 1);
    assert_eq!(of(package("iowq-reports", serde_json::json!([]))), 1, "an edge that is gone");
    assert_eq!(of(package("xtask", serde_json::json!([edge("iowq-ebpf", "dev".into())]))), 0);
    let foreign = serde_json::json!({"name": "anyhow", "kind": null});
    assert_eq!(of(package("xtask", serde_json::json!([foreign]))), 0);
}

#[test]
fn a_package_that_nobody_listed_is_found() {
    let found = complaints(&serde_json::json!({"packages": [{"name": "new", "dependencies": []}]}));
    assert!(found.iter().any(|one| one.contains("package new")), "{found:?}");
}
