//! Paths in JSON, also those that are no text: as the bytes that the system takes.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.as_os_str().as_bytes()).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let bytes = Option::<Vec<u8>>::deserialize(from)?;
    Ok(bytes.map(|bytes| OsString::from_vec(bytes).into()))
}
