//! Choices of flags that the contract has as types, each value with its help.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use iowq_contract::{EngineName, WantBlocking, WantProbes};
use iowq_reports::export::{Format, Table};
use iowq_reports::import::Unit;
use serde::de::DeserializeOwned;

/// What carries out ops.
pub(super) fn engine() -> impl TypedValueParser<Value = EngineName> {
    choice(&[
        ("pool", "The userspace io-wq"),
        ("uring", "The running kernel's io-wq, through io_uring"),
        ("sync", "No ring: each op is a system call of the thread that submits"),
    ])
}

/// What watches the workers.
pub(super) fn probes() -> impl TypedValueParser<Value = WantProbes> {
    choice(&[
        ("auto", "The best tier that works here"),
        ("bpf", "eBPF programs, or fail"),
        ("proc", "Polling /proc"),
        ("off", "Nothing"),
    ])
}

/// What reports that a worker blocks.
pub(super) fn blocking() -> impl TypedValueParser<Value = WantBlocking> {
    choice(&[
        ("auto", "The scheduler if eBPF works, else the workers"),
        ("sched", "The scheduler, through eBPF, or fail"),
        ("declared", "The workers themselves, around each call that may block"),
    ])
}

/// What is exported.
pub(super) fn export_format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(|(name, _)| name)).try_map(|name| {
        let found = Format::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or("no such format")
    })
}

/// Which table is exported.
pub(super) fn table() -> impl TypedValueParser<Value = Table> {
    PossibleValuesParser::new(Table::ALL.map(|(name, _)| name)).try_map(|name| {
        let found = Table::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, table)| *table).ok_or("no such table")
    })
}

/// What latencies are in.
pub(super) fn unit() -> impl TypedValueParser<Value = Unit> {
    PossibleValuesParser::new(Unit::ALL.map(|(name, _)| name)).try_map(|name| {
        let found = Unit::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, unit)| *unit).ok_or("no such unit")
    })
}

/// The value that the contract has by this name.
fn choice<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    values: &[(&'static str, &'static str)],
) -> impl TypedValueParser<Value = T> {
    let possible = values.iter().map(|(name, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(possible.collect::<Vec<_>>())
        .try_map(|name| serde_json::from_value(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_a_flag_offers_is_one_of_the_contract() {
        fn assert_all<T: Clone + Send + Sync + 'static>(parser: &impl TypedValueParser<Value = T>) {
            let command = clap::Command::new("test");
            let values = parser.possible_values().expect("it lists them");
            for value in values {
                let name = std::ffi::OsStr::new(value.get_name());
                assert!(parser.parse_ref(&command, None, name).is_ok(), "{name:?}");
            }
        }
        assert_all(&engine());
        assert_all(&probes());
        assert_all(&blocking());
        assert_all(&export_format());
        assert_all(&table());
        assert_all(&unit());
    }
}
