//! What one program says to another: what is read can be written, and read again.

use iowq_contract::guest::{Job, Message};
use iowq_contract::jsonl::{Limits, Lines, line};
use iowq_contract::{BenchRequest, RunMessage, RunRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a guest and a run say, line by line.
pub(crate) fn message(bytes: &[u8]) {
    for line in Lines::new(bytes, Limits::default()).map_while(Result::ok) {
        again::<Message>(&line.bytes);
        again::<RunMessage>(&line.bytes);
    }
}

/// What a bench, a run and a guest are asked for.
pub(crate) fn request(bytes: &[u8]) {
    again::<BenchRequest>(bytes);
    again::<RunRequest>(bytes);
    again::<Job>(bytes);
}

fn again<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let text = line(&value).expect("what was read can be written");
    serde_json::from_slice::<T>(&text).expect("what was written can be read");
}
