//! The size of blocks: fio has three ways to name several, and each may name one.

use super::job::Job;
use super::value;
use crate::error::SpecError;
use crate::limits;
use crate::plan::Mix;

/// fio's block size if none is given.
const BYTES_DEFAULT: u64 = 4096;

impl Job<'_> {
    /// The one size of all reads and writes, in bytes.
    pub(super) fn block_bytes(&self, mix: Mix) -> Result<u32, SpecError> {
        // A split wins over a range in fio, and that over a size.
        let option = ["bssplit", "bsrange"].into_iter().find(|option| self.given(option));
        let option = option.unwrap_or("bs");
        let [reads, writes] = value::directions(self.text(option).unwrap_or(""));
        let used = [(mix.read > 0, reads), (mix.write > 0, writes)];
        let mut sizes: Vec<u64> = Vec::new();
        for (_, text) in used.into_iter().filter(|(is_used, _)| *is_used) {
            match text {
                Some(text) => sizes.extend(self.sizes(option, text)?),
                None if self.given(option) && reads.is_none() && writes.is_none() => {
                    return Err(self.refuse(option, value::INT));
                }
                None => sizes.push(BYTES_DEFAULT),
            }
        }
        sizes.dedup();
        let [bytes] = sizes[..] else {
            let most = sizes.first().copied().unwrap_or(BYTES_DEFAULT);
            return Err(self.refuse(
                option,
                format!(
                    "one size for all reads and writes, such as bs={most}; or a spec, whose \
                     files.block_bytes takes several"
                ),
            ));
        };
        self.one_size(option, bytes)
    }

    fn one_size(&self, option: &'static str, bytes: u64) -> Result<u32, SpecError> {
        let (least, most) =
            (*limits::BLOCK_BYTES.start() as u64, *limits::BLOCK_BYTES.end() as u64);
        if !(least..=most).contains(&bytes) {
            let allowed = format!("one size from {least} to {most}, for reads and writes");
            return Err(self.refuse(option, allowed));
        }
        if self.is_direct()? && !bytes.is_multiple_of(u64::from(limits::SECTOR_BYTES)) {
            let allowed = format!("a multiple of {} with direct=1", limits::SECTOR_BYTES);
            return Err(self.refuse(option, allowed));
        }
        if self.int("blockalign")?.is_some_and(|align| align != bytes) {
            let allowed = format!("{bytes}, the size of a block, or nothing");
            return Err(self.refuse("blockalign", allowed));
        }
        Ok(bytes as u32)
    }

    /// All sizes that a value names, the one that most blocks have first.
    fn sizes(&self, option: &'static str, text: &str) -> Result<Vec<u64>, SpecError> {
        match option {
            "bssplit" => self.split(text),
            "bsrange" => {
                let ends = text.split_once(['-', ':']).ok_or_else(|| {
                    self.refuse(option, "a range such as 4k-16k, or bs for one size")
                })?;
                Ok(vec![self.int_of(option, ends.0)?, self.int_of(option, ends.1)?])
            }
            _ => Ok(vec![self.int_of(option, text)?]),
        }
    }

    /// Sizes with their shares, such as `4k/60:16k/40`; those without one have equal parts of what is
    /// left.
    fn split(&self, text: &str) -> Result<Vec<u64>, SpecError> {
        let mut sizes: Vec<(u64, u64)> = Vec::new();
        for part in text.split(':').filter(|part| !part.is_empty()) {
            let (size, share) = part.split_once('/').unwrap_or((part, ""));
            let share = share.trim_end_matches('%');
            let share = if share.is_empty() { 0 } else { self.int_of("bssplit", share)? };
            sizes.push((self.int_of("bssplit", size)?, share));
        }
        if sizes.is_empty() {
            return Err(self.refuse("bssplit", "sizes with shares, such as 4k/60:16k/40"));
        }
        sizes.sort_by_key(|(_, share)| std::cmp::Reverse(*share));
        Ok(sizes.into_iter().map(|(size, _)| size).collect())
    }
}
