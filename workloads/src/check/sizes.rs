//! Sizes of reads and writes: those of a spec, and the block that all of them are made of.

use super::Check;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{OpSize, Open};
use crate::spec::{BlockSize, Spec};

const FIELD: &str = "files.block_bytes";

/// Bytes in a block, and how many blocks ops are of; no sizes if all are of one block.
pub(super) fn of(check: &Check<'_>, spec: &Spec) -> Result<(u32, Vec<OpSize>), SpecError> {
    let mut sizes = spec.files.block_bytes.0.clone();
    sizes.sort_by_key(|size| size.bytes);
    each(check, &sizes)?;
    let block_bytes = sizes.iter().fold(0, |all, size| divisor(all, size.bytes as u64)) as u32;
    if block_bytes < *limits::BLOCK_BYTES.start() as u32 {
        let found = format!("sizes whose greatest common divisor is {block_bytes}");
        let allowed = format!(
            "one of {} or more, of which each block that is compared has as many bytes",
            limits::BLOCK_BYTES.start()
        );
        return Err(check.refuse(FIELD, found, &allowed));
    }
    let log = spec.log.as_ref().map(|log| log.open);
    let mut open = spec.files.open.0.iter().copied().chain(log);
    let sector = limits::SECTOR_BYTES;
    if !block_bytes.is_multiple_of(sector) && open.any(|open| open == Open::Direct) {
        let found = sizes.iter().map(|size| size.bytes).find(|bytes| bytes % i64::from(sector) > 0);
        let allowed = format!("a multiple of {sector} if a file is opened direct");
        return Err(check.refuse(FIELD, found.unwrap_or_default(), &allowed));
    }
    let size = |size: &BlockSize| OpSize {
        blocks: size.bytes as u32 / block_bytes,
        weight: size.weight as u32,
    };
    let several = sizes.len() > 1;
    Ok((block_bytes, sizes.iter().filter(|_| several).map(size).collect()))
}

/// Whether each size, smallest first, is within its limits and there once.
fn each(check: &Check<'_>, sizes: &[BlockSize]) -> Result<(), SpecError> {
    if !(1..=limits::BLOCK_SIZES_MAX).contains(&sizes.len()) {
        let allowed = format!("one size, or a list of 1 to {}", limits::BLOCK_SIZES_MAX);
        return Err(check.refuse(FIELD, format!("a list of {}", sizes.len()), &allowed));
    }
    for size in sizes {
        check.range(FIELD, size.bytes, limits::BLOCK_BYTES)?;
        let weights = 1..=*limits::WEIGHT.end();
        if !weights.contains(&size.weight) {
            let found = format!("weight {} of {} bytes", size.weight, size.bytes);
            let allowed = format!("{} to {}", weights.start(), weights.end());
            return Err(check.refuse(FIELD, found, &allowed));
        }
    }
    match sizes.windows(2).find(|pair| pair[0].bytes == pair[1].bytes) {
        Some(twice) => {
            let found = format!("{} bytes twice", twice[0].bytes);
            Err(check.refuse(FIELD, found, "each size once, with its weight"))
        }
        None => Ok(()),
    }
}

/// The greatest common divisor, by Euclid's algorithm.
pub(crate) fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
