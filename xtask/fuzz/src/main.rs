//! One program for all targets: `IOWQ_FUZZ_TARGET` names the parser that gets libFuzzer's bytes.

#![no_main]

mod console;
mod event;
mod folder;
mod image;
mod json;
mod names;
mod record;
mod workload;

use std::sync::LazyLock;

/// Reads any bytes. It may refuse them, and must neither panic nor take long.
type Target = fn(&[u8]);

/// All targets. Each has a folder of its name in `corpus`.
const TARGETS: [(&str, Target); 21] = [
    ("boots", record::boots),
    ("btf", event::types),
    ("compare", record::compare),
    ("console", console::console),
    ("fio", record::fio),
    ("format", event::layout),
    ("histogram", record::histogram),
    ("hlog", record::hlog),
    ("image", image::image),
    ("job", workload::job),
    ("kconfig", names::kconfig),
    ("message", json::message),
    ("module", image::module),
    ("package", image::package),
    ("policy", names::policy),
    ("printed", record::printed),
    ("record", record::record),
    ("release", names::release),
    ("request", json::request),
    ("setting", workload::setting),
    ("spec", workload::spec),
];

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("IOWQ_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("IOWQ_FUZZ_TARGET is {name:?}, which is no target")).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
