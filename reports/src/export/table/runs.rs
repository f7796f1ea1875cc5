//! The table of runs: a row for each, a column for each field of the schema.

use std::collections::BTreeSet;

use iowq_contract::{Record, json_schema};
use serde_json::Value;

use crate::export::table::columns::{self, CAVEATS, Field, Keys, TEXT};
use crate::export::table::{Cell, Rows, Type, known};
use crate::runs::metric::Metric;

/// The place of a run in this export, by which timelines name it.
pub(super) const RUN: &str = "run";

/// What a comparison computes from a record, and the names of the columns.
const COMPUTED: [(&str, Metric); 3] = [
    ("ops_cpu_per_op_ns", Metric::CpuPerOp),
    ("workers_born_per_s", Metric::BornPerS),
    ("workers_linger_at_least_ms", Metric::Linger),
];

/// The rows of all runs.
pub(super) fn rows(records: &[Record]) -> Rows<'_> {
    let mut keys = Keys::default();
    records.iter().for_each(|record| keys.add(&known::value(record)));
    let fields = columns::fields(&json_schema(), &keys);
    let mut names = BTreeSet::new();
    let mut columns = vec![RUN.to_owned()];
    columns.extend(fields.iter().map(|field| apart(&columns::name(&field.path), &mut names)));
    columns.extend(COMPUTED.map(|(name, _)| name.to_owned()));
    let rows = (0_u64..).zip(records).map(move |(run, record)| {
        let value = known::value(record);
        let cells = fields.iter().map(|field| cell(&value, field));
        let computed = COMPUTED.iter().map(|(_, metric)| metric.value(record).into());
        Ok([Cell::Count(run)].into_iter().chain(cells).chain(computed).collect())
    });
    Rows { columns, rows: Box::new(rows) }
}

/// A name that no other column has: two keys of a map may differ in a letter that names have not.
fn apart(name: &str, names: &mut BTreeSet<String>) -> String {
    let mut own = name.to_owned();
    let mut number = 1;
    while !names.insert(own.clone()) {
        number += 1;
        own = format!("{name}_{number}");
    }
    own
}

fn cell(record: &Value, field: &Field) -> Cell {
    if let [list, part] = field.path.as_slice()
        && (list.as_str(), part.as_str()) == (CAVEATS, TEXT)
    {
        return list_of(record.get(CAVEATS), TEXT);
    }
    let value = columns::at(record, &field.path);
    match field.of {
        Type::Count => value.and_then(Value::as_u64).into(),
        Type::Number => value.and_then(Value::as_f64).into(),
        Type::Flag => value.and_then(Value::as_bool).map_or(Cell::Null, Cell::Flag),
        Type::Text => match value {
            Some(Value::String(text)) => text.as_str().into(),
            list @ Some(Value::Array(_)) => list_of(list, "code"),
            _ => Cell::Null,
        },
    }
}

/// The items of a list, or a part of each.
fn list_of(list: Option<&Value>, part: &str) -> Cell {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    let texts = items.filter_map(|item| item.get(part).unwrap_or(item).as_str());
    let (texts, between) = (texts.collect::<Vec<_>>(), if part == TEXT { "; " } else { ", " });
    if texts.is_empty() { Cell::Null } else { texts.join(between).as_str().into() }
}
