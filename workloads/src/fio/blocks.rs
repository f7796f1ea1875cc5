//! The sizes of blocks: fio has three ways to name several, and each may name one.

use super::job::Job;
use super::value;
use crate::check::divisor;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Mix, OpSize, Order};

/// fio's block size if none is given.
const BYTES_DEFAULT: u64 = 4096;

/// A size in bytes, and its share of all reads and writes.
type Share = (u64, u64);

/// How large reads and writes are, and what they are made of.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// Bytes of a block.
    pub(super) bytes: u32,
    /// As in [`Plan::sizes`](crate::plan::Plan::sizes).
    pub(super) sizes: Vec<OpSize>,
    /// What the first block of one at random is a multiple of; 0 for its own size.
    pub(super) align_blocks: u32,
    /// Whether those at random end before blocks that were visited: fio keeps a map of them, unless
    /// `blockalign` or the job turns it off.
    pub(super) is_cut: bool,
}

impl Blocks {
    /// Bytes of the largest.
    pub(super) fn bytes_max(&self) -> u64 {
        let blocks = self.sizes.iter().map(|size| size.blocks).fold(1, u32::max);
        u64::from(self.bytes) * u64::from(blocks)
    }

    /// Blocks of one on average.
    pub(super) fn mean(&self) -> f64 {
        let weights: f64 = self.sizes.iter().map(|size| f64::from(size.weight)).sum();
        let blocks = |size: &OpSize| f64::from(size.blocks) * f64::from(size.weight);
        if self.sizes.is_empty() {
            1.0
        } else {
            self.sizes.iter().map(blocks).sum::<f64>() / weights
        }
    }
}

impl Job<'_> {
    /// The sizes of reads and writes, which are the same for both.
    pub(super) fn blocks(&self, mix: Mix) -> Result<Blocks, SpecError> {
        // A split wins over a range in fio, and that over a size.
        let option = ["bssplit", "bsrange"].into_iter().find(|option| self.given(option));
        let option = option.unwrap_or("bs");
        if option == "bsrange" && self.is_on("bs_unaligned")? {
            let allowed = "nothing beside bsrange, of which fio then draws any number of bytes; or \
                           bssplit with the sizes that you mean";
            return Err(self.refuse("bs_unaligned", allowed));
        }
        let [reads, writes] = value::directions(self.text(option).unwrap_or(""));
        let used = [(mix.read > 0, reads), (mix.write > 0, writes)];
        let mut both: Vec<Vec<Share>> = Vec::new();
        for (_, text) in used.into_iter().filter(|(is_used, _)| *is_used) {
            both.push(match text {
                Some(text) => by_size(self.shares(option, text)?),
                None if self.given(option) && reads.is_none() && writes.is_none() => {
                    return Err(self.refuse(option, value::INT));
                }
                None => vec![(BYTES_DEFAULT, 1)],
            });
        }
        both.dedup();
        let (Some(shares), true) = (both.pop(), both.is_empty()) else {
            let allowed = "the same sizes for reads and writes; or two jobs at one time, one that \
                           reads and one that writes";
            return Err(self.refuse(option, allowed));
        };
        self.blocks_of(option, shares, mix.order)
    }

    /// The block that sizes and the places of ops at random are made of. fio has both at multiples of
    /// the smallest size, unless it is told otherwise.
    fn blocks_of(
        &self,
        option: &'static str,
        shares: Vec<Share>,
        order: Order,
    ) -> Result<Blocks, SpecError> {
        let (least, most) =
            (*limits::BLOCK_BYTES.start() as u64, *limits::BLOCK_BYTES.end() as u64);
        if shares.iter().any(|(bytes, _)| !(least..=most).contains(bytes)) {
            return Err(self.refuse(option, format!("sizes from {least} to {most}")));
        }
        let smallest = shares.first().map_or(BYTES_DEFAULT, |(bytes, _)| *bytes);
        let is_unaligned = self.is_on("bs_unaligned")?;
        let rounded = |(bytes, share): Share| match is_unaligned {
            true => (bytes, share),
            false => (bytes - bytes % smallest, share),
        };
        let shares = by_size(shares.into_iter().map(rounded).collect());
        // In sequence fio puts the smallest size in its place.
        let aligns = |align: &u64| *align > 0 && order != Order::Sequential;
        let align = self.int("blockalign")?.filter(aligns).unwrap_or(smallest);
        let unit = shares.iter().fold(align, |all, (bytes, _)| divisor(all, *bytes));
        let sector = u64::from(limits::SECTOR_BYTES);
        if self.is_direct()? && !unit.is_multiple_of(sector) {
            let allowed = format!("a multiple of {sector} with direct=1");
            let is_align = shares.iter().all(|(bytes, _)| bytes.is_multiple_of(sector));
            return Err(self.refuse(if is_align { "blockalign" } else { option }, allowed));
        }
        if unit < least {
            let allowed = format!("sizes and blockalign with a common divisor of {least} or more");
            return Err(self.refuse(option, allowed));
        }
        let in_blocks = |(bytes, weight): &Share| OpSize {
            blocks: (bytes / unit) as u32,
            weight: *weight as u32,
        };
        let is_one = shares.len() == 1 && align == smallest;
        let sizes = shares.iter().filter(|_| !is_one).map(in_blocks).collect();
        let align_blocks = if is_one { 0 } else { u32::try_from(align / unit).unwrap_or(u32::MAX) };
        let is_cut = !is_one && align == smallest && !self.is_on("norandommap")?;
        Ok(Blocks { bytes: unit as u32, sizes, align_blocks, is_cut })
    }

    /// All sizes that a value names.
    fn shares(&self, option: &'static str, text: &str) -> Result<Vec<Share>, SpecError> {
        match option {
            "bssplit" => self.split(text),
            "bsrange" => self.range(text),
            _ => Ok(vec![(self.int_of(option, text)?, 1)]),
        }
    }

    /// The multiples of the smaller end up to the larger, which fio draws alike.
    fn range(&self, text: &str) -> Result<Vec<Share>, SpecError> {
        let ends = text
            .split_once(['-', ':'])
            .ok_or_else(|| self.refuse("bsrange", "a range such as 4k-16k, or bs for one size"))?;
        let (one, other) = (self.int_of("bsrange", ends.0)?, self.int_of("bsrange", ends.1)?);
        let (least, most) = (one.min(other), one.max(other));
        let most_sizes = limits::BLOCK_SIZES_MAX as u64;
        if least == 0 || !most.is_multiple_of(least) || most / least > most_sizes {
            let allowed = format!(
                "from a size to a multiple of it, up to {most_sizes} times; or bssplit with the sizes \
                 that you mean"
            );
            return Err(self.refuse("bsrange", allowed));
        }
        Ok((1..=most / least).map(|times| (times * least, 1)).collect())
    }

    /// Sizes with their shares in percent, such as `4k/60:16k/40`; those without one have equal parts
    /// of what is left, and the one that most have has what is left then.
    fn split(&self, text: &str) -> Result<Vec<Share>, SpecError> {
        let mut shares: Vec<(u64, Option<u64>)> = Vec::new();
        for part in text.split(':').filter(|part| !part.is_empty()) {
            let (size, share) = part.split_once('/').unwrap_or((part, ""));
            let share = share.trim_end_matches('%');
            let share = if share.is_empty() { 0 } else { self.int_of("bssplit", share)? };
            shares.push((self.int_of("bssplit", size)?, Some(share).filter(|share| *share > 0)));
        }
        let given = shares.iter().filter_map(|(_, share)| *share).fold(0, u64::saturating_add);
        if !(1..=limits::BLOCK_SIZES_MAX).contains(&shares.len()) || given > 100 {
            let allowed = format!(
                "up to {} sizes with shares of 100 together, such as 4k/60:16k/40",
                limits::BLOCK_SIZES_MAX
            );
            return Err(self.refuse("bssplit", allowed));
        }
        let open = shares.iter().filter(|(_, share)| share.is_none()).count() as u64;
        let part = (100 - given).checked_div(open).unwrap_or(0);
        let mut shares: Vec<Share> =
            shares.into_iter().map(|(bytes, share)| (bytes, share.unwrap_or(part))).collect();
        let rest = 100 - shares.iter().map(|(_, share)| share).sum::<u64>();
        if let Some((_, share)) = shares.iter_mut().max_by_key(|(_, share)| *share) {
            *share += rest;
        }
        Ok(shares)
    }
}

/// The same by size, each size once; those without a share are none.
fn by_size(mut shares: Vec<Share>) -> Vec<Share> {
    shares.retain(|(_, share)| *share > 0);
    shares.sort_unstable();
    let mut once: Vec<Share> = Vec::new();
    for (bytes, share) in shares {
        match once.last_mut() {
            Some((last, sum)) if *last == bytes => *sum += share,
            _ => once.push((bytes, share)),
        }
    }
    if let [(_, share)] = &mut once[..] {
        *share = 1;
    }
    once
}
