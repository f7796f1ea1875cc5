//! What `iowq trace` says against what a program did: counts, files, births and exits are equal.

mod counts;
mod fio;
mod lives;
#[path = "../../examples/trace_actor/report.rs"]
mod report;
#[path = "../../../tests/probes_support/start.rs"]
mod start;
mod survives;
mod traced;
