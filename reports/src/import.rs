//! Imports: what another tool measured, as records, so that it can stand beside ours.

pub mod fio;
mod fio_json;
