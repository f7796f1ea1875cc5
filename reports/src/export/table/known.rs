//! A record as JSON, without figures that only look as if something was measured.

use iowq_contract::{Code, Record, Tier};
use serde_json::{Map, Value};

use crate::runs::metric::Metric;
use crate::runs::sample_size::{self, P50_PPB, P90_PPB, P99_PPB, P999_PPB};

/// Quantiles, with the share of samples beyond each.
const QUANTILES: [(&str, u64); 4] =
    [("p50_ns", P50_PPB), ("p90_ns", P90_PPB), ("p99_ns", P99_PPB), ("p999_ns", P999_PPB)];

/// Fields of the probe that say nothing if none watched.
const OF_THE_PROBE: [&str; 3] = ["events_seen", "events_lost", "switches_missed"];

/// The record, with what is not known left out.
pub(super) fn value(record: &Record) -> Value {
    // A record is JSON; if it were none, its row would be empty.
    let mut value = serde_json::to_value(record).unwrap_or_default();
    let mut remove = |table: &str, field: &str| {
        value.get_mut(table).and_then(Value::as_object_mut).map(|fields| fields.remove(field));
    };
    if Metric::OpsPerS.value(record).is_none() {
        remove("ops", "per_s");
    }
    if Metric::Peak.value(record).is_none() {
        remove("workers", "peak");
    }
    if record.workers.created.best().is_none() {
        remove("workers", "creations_failed");
    }
    if record.probe.tier == Tier::Off {
        OF_THE_PROBE.iter().for_each(|field| remove("probe", field));
    }
    // Such runs have a seed only if their tool said it.
    let foreign = |code: &Code| matches!(code, Code::Imported | Code::Live);
    if record.key.seed == 0 && record.caveats.iter().any(|caveat| foreign(&caveat.code)) {
        remove("key", "seed");
    }
    if let Some(fields) = value.as_object_mut().filter(|_| record.duration_ns == 0) {
        fields.remove("duration_ns");
    }
    for clock in ["response", "service", "queue"] {
        let kinds = value.pointer_mut(&format!("/latency/{clock}")).and_then(Value::as_object_mut);
        for quantiles in kinds.into_iter().flat_map(Map::values_mut) {
            without_unsure(quantiles);
        }
    }
    value
}

fn without_unsure(quantiles: &mut Value) {
    let count = quantiles.get("count").and_then(Value::as_u64).unwrap_or(0);
    let Some(fields) = quantiles.as_object_mut() else { return };
    for (name, beyond_ppb) in QUANTILES {
        if !sample_size::is_sure(count, beyond_ppb) {
            fields.remove(name);
        }
    }
    if count == 0 {
        fields.remove("max_ns");
    }
}
