//! Licences: every dependency has one that `deny.toml` allows.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{none, tree::top};

/// What is not allowed, of packages as `cargo metadata` has them.
fn complaints(packages: &Value, allowed: &[String]) -> Vec<String> {
    let packages = packages.as_array().cloned().unwrap_or_default();
    let complaint = |package: &Value| {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(licence) = package["license"].as_str() else {
            return Some(format!("{name} names no licence"));
        };
        let Ok(expression) = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) else {
            return Some(format!("{name} has the licence {licence}, which is no SPDX expression"));
        };
        let is_allowed = expression.evaluate(|one| {
            one.license.id().is_some_and(|id| allowed.iter().any(|allowed| *allowed == id.name))
        });
        (!is_allowed).then(|| format!("{name} has the licence {licence}; allowed: {allowed:?}"))
    };
    packages.iter().filter_map(complaint).collect()
}

fn allowed() -> anyhow::Result<Vec<String>> {
    let deny: toml::Table = toml::from_str(&fs::read_to_string(top().join("deny.toml"))?)?;
    let list = deny.get("licenses").and_then(|it| it.get("allow")).and_then(|it| it.as_array());
    let list = list.context("deny.toml has no licenses.allow")?;
    Ok(list.iter().filter_map(|name| name.as_str()).map(str::to_owned).collect())
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform"]);
    command.arg("x86_64-unknown-linux-gnu").current_dir(top());
    let output = command.output().context("cannot start cargo metadata")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    none(&complaints(&metadata["packages"], &allowed()?));
    Ok(())
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    let of = |licence: Value| {
        let packages = serde_json::json!([{ "name": "one", "license": licence }]);
        complaints(&packages, &["MIT".to_owned()]).len()
    };
    assert_eq!(of("MIT/Apache-2.0".into()) + of("GPL-2.0-only OR MIT".into()), 0);
    assert_eq!(of("GPL-2.0-only".into()) + of(Value::Null) + of("nonsense".into()), 3);
}
