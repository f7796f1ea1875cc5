//! `--noise` and `--control`: the first arm again in each round, as it is and with a delay.

use serde_json::{Value, json};

use crate::support::{Place, stderr};

/// The arms of a round as `policy role`, in order.
fn arms(round: &[Value]) -> Vec<String> {
    let text = |cell: &Value, field: &str| cell[field].as_str().expect("a string").to_owned();
    let arm = |record: &Value| {
        let cell = &record["key"];
        format!("{} {}", text(cell, "policy"), text(cell, "role"))
    };
    let mut arms: Vec<String> = round.iter().map(arm).collect();
    arms.sort();
    arms
}

#[test]
fn each_round_has_the_first_arm_again_for_noise_and_with_the_pilots_delay_for_control() {
    let place = Place::new();
    let arms_of = ["--workload", "tiny.toml", "--policy", "6.17", "--policy", "6.12"];
    let roles = ["--noise", "--control", "50", "--pairs", "2"];
    let output = place.bench(&[&arms_of[..], &roles].concat()).output().expect("it runs");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("pilot  tiny.toml under 6.17: median response time "), "{said}");
    assert!(said.contains("tiny.toml under 6.17 again: "), "{said}");
    assert!(said.contains("tiny.toml under 6.17 delayed: "), "{said}");
    let records = place.records();
    assert_eq!(records.len(), 8, "the pilot's is not kept");
    let expected = ["6.12 measured", "6.17 control", "6.17 measured", "6.17 noise"];
    for round in records.chunks(4) {
        assert_eq!(arms(round), expected);
        assert!(round.iter().all(|record| record["key"]["seed"] == round[0]["key"]["seed"]));
    }
    let mut delays: Vec<&Value> = Vec::new();
    for record in &records {
        assert_eq!(record["asked"], json!({"workload": "tiny.toml"}), "to be asked for again");
        let settings = &record["settings"];
        if record["key"]["role"] == "control" {
            assert_eq!(settings["injected_delay_percent"], json!(50.0));
            delays.push(&settings["injected_delay_ns"]);
        } else {
            assert_eq!(settings["injected_delay_ns"], Value::Null);
        }
    }
    assert!(delays[0].as_u64() > Some(0), "{delays:?}");
    assert_eq!(delays[0], delays[1]);
    place.assert_dir_is_empty();
}

#[test]
fn without_noise_and_control_every_run_is_measured() {
    let place = Place::new();
    let arguments = ["--workload", "tiny.toml", "--policy", "6.17", "--pairs", "1"];
    let output = place.bench(&arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(arms(&place.records()), ["6.17 measured"]);
}
