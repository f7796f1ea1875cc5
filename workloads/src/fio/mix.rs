//! What a job does to its files: reads, writes, and fsyncs among them.

use super::blocks::Blocks;
use super::job::Job;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Mix, Order};

/// fio's share of reads in a mix if none is given, in percent.
const READ_PERCENT_DEFAULT: u64 = 50;

impl Job<'_> {
    /// In which order blocks are visited, and in which shares read and written, in percent.
    pub(super) fn mix(&self) -> Option<Mix> {
        let direction = self.keep(self.direction());
        let read_percent = self.keep(self.read_percent());
        let fsyncs = self.keep(self.fsyncs());
        let distribution = self.keep(self.distribution());
        let ((order, read), read_percent) = (direction?, read_percent?);
        let ((writes_per_fsync, data_only), skewed) = (fsyncs?, distribution?);
        let read = read.unwrap_or(read_percent);
        Some(Mix {
            write: 100 - read,
            read,
            writes_per_fsync: if read == 100 { 0 } else { writes_per_fsync },
            data_only,
            order: skewed.unwrap_or(order),
            ..Mix::default()
        })
    }

    /// The order, and how much is read unless the mix is to say so.
    fn direction(&self) -> Result<(Order, Option<u32>), SpecError> {
        let text = self.text("rw").map(str::trim_end);
        Ok(match text.map(|text| text.split_once(':').map_or(text, |(rw, _)| rw)) {
            Some("randwrite" | "randread" | "randrw") if self.step_text().is_some() => {
                return Err(
                    self.refuse("rw", "nothing behind it; a new place is chosen for each op")
                );
            }
            Some("write") => (Order::Sequential, Some(0)),
            Some("randwrite") => (Order::Random, Some(0)),
            Some("read") | None => (Order::Sequential, Some(100)),
            Some("randread") => (Order::Random, Some(100)),
            Some("rw" | "readwrite") => (Order::Sequential, None),
            Some("randrw") => (Order::Random, None),
            Some(other) => {
                let all = "write, randwrite, read, randread, rw, readwrite or randrw";
                let why = match other {
                    trims if trims.contains("trim") => "; nothing is trimmed",
                    variable if variable.contains('$') => "; variables are not replaced",
                    _ => "",
                };
                return Err(self.refuse("rw", format!("{all}{why}")));
            }
        })
    }

    /// What stands behind the direction.
    fn step_text(&self) -> Option<&str> {
        self.text("rw").and_then(|text| text.trim_end().split_once(':')).map(|(_, step)| step)
    }

    /// The order of a job in sequence that leaves gaps or goes backwards: `rw=read:8k` has
    /// 8 KiB between the end of an op and the next.
    pub(super) fn step(&self, blocks: &Blocks) -> Result<Option<Order>, SpecError> {
        let Some(text) = self.step_text() else { return Ok(None) };
        let (text, is_back) = match text.strip_prefix('-') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let gap = i64::try_from(self.int_of("rw", text)?).unwrap_or(i64::MAX);
        if gap == 0 {
            return Ok(None);
        }
        if !blocks.sizes.is_empty() {
            return Err(self.refuse("rw", "no gaps beside several sizes of blocks"));
        }
        let bytes = i64::from(blocks.bytes);
        let gap_blocks = if is_back { -(gap / bytes) } else { gap / bytes };
        let step = gap_blocks.saturating_add(1);
        if gap % bytes != 0 || !limits::STEP_BLOCKS.contains(&step) {
            let most = limits::STEP_BLOCKS.end().saturating_sub(1).saturating_mul(bytes);
            let allowed =
                format!("gaps of a multiple of {bytes} bytes, the size of a block, up to {most}");
            return Err(self.refuse("rw", allowed));
        }
        Ok(Some(Order::Step { blocks: step }))
    }

    fn read_percent(&self) -> Result<u32, SpecError> {
        let percent = match self.options.later("rwmixread", "rwmixwrite") {
            Some("rwmixwrite") => 100 - self.within("rwmixwrite", 0, 0..=100)?,
            _ => self.within("rwmixread", READ_PERCENT_DEFAULT, 0..=100)?,
        };
        Ok(percent as u32)
    }

    /// Writes before each fsync, and whether that is an fdatasync.
    fn fsyncs(&self) -> Result<(u32, bool), SpecError> {
        let fsync = self.within("fsync", 0, limits::WRITES_PER_FSYNC)? as u32;
        let fdatasync = self.within("fdatasync", 0, limits::WRITES_PER_FSYNC)? as u32;
        if fsync > 0 && fdatasync > 0 {
            return Err(self.refuse("fdatasync", "0 beside fsync, or fsync=0"));
        }
        Ok((fsync.max(fdatasync), fdatasync > 0))
    }

    /// The order of blocks that are not chosen evenly; in sequence none is chosen.
    fn distribution(&self) -> Result<Option<Order>, SpecError> {
        if !self.text("rw").is_some_and(|rw| rw.starts_with("rand")) {
            return Ok(None);
        }
        if self.int("percentage_random")?.is_some_and(|percent| percent != 100) {
            let allowed = "100: either all blocks are visited at random or all in sequence";
            return Err(self.refuse("percentage_random", allowed));
        }
        let Some(text) = self.text("random_distribution") else { return Ok(None) };
        // What fio takes if there is no parameter.
        let text = match text {
            "random" => return Ok(None),
            "zipf" => "zipf:1.1",
            "pareto" => "pareto:0.2",
            text => text,
        };
        let order = text.parse().ok();
        match order {
            Some(Order::Zipf { .. } | Order::Pareto { .. }) => Ok(order),
            // With a map fio visits each block once, and so all zones alike in the end.
            Some(Order::Zoned(_)) if self.is_on("norandommap")? => Ok(order),
            Some(Order::Zoned(_)) => {
                Err(self.refuse("random_distribution", "norandommap=1 beside zones"))
            }
            _ => {
                let allowed = "random, zipf:THETA, pareto:H or zones such as zoned:90/10:10/90; or a \
                               spec whose files.order is normal:PERCENT";
                Err(self.refuse("random_distribution", allowed))
            }
        }
    }
}
