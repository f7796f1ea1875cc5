//! When ops of a job come, how many are in flight, and when the run ends.

use std::time::Duration;

use super::blocks::Blocks;
use super::job::{Job, MICROSECOND, SECOND};
use super::target::Size;
use super::value;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Arrival, Length, Mix, Order};

/// Ops per second of reads and of writes.
type Rates = [Option<f64>; 2];

impl Job<'_> {
    /// Ops in flight at most.
    pub(super) fn depth(&self, is_sync: bool, blocks: &Blocks) -> Result<u32, SpecError> {
        if is_sync {
            return Ok(1);
        }
        let depth = self.within("iodepth", 1, limits::DEPTH)?;
        let bytes = blocks.bytes_max();
        let most = limits::BUFFER_BYTES_MAX / bytes;
        if depth > most {
            let allowed = format!("{most} at most with blocks of {bytes} bytes");
            return Err(self.refuse("iodepth", allowed));
        }
        Ok(depth as u32)
    }

    /// When ops come, and how many of them are in flight. A mix that has rates has shares by them.
    pub(super) fn arrival(
        &self,
        mix: &mut Mix,
        blocks: &Blocks,
        depth: u32,
    ) -> Result<(Arrival, u32), SpecError> {
        let thinks = !self.thinktime()?.is_zero();
        match self.rate(mix, blocks)? {
            Some(_) if thinks => Err(self.refuse("thinktime", "nothing beside a rate")),
            Some(arrival) => Ok((arrival, depth)),
            None => self.rounds(depth),
        }
    }

    fn thinktime(&self) -> Result<Duration, SpecError> {
        let most = *limits::WAIT_MS.end() / 1000.0;
        Ok(self.time("thinktime", MICROSECOND, 0.0..=most)?.unwrap_or_default())
    }

    /// Ops as others are done. fio lets all that are in flight end before it pauses.
    fn rounds(&self, depth: u32) -> Result<(Arrival, u32), SpecError> {
        if !matches!(self.text("io_submit_mode"), None | Some("inline")) {
            let allowed = "inline, or offload beside rate or rate_iops, whose ops come in time \
                           whatever is in flight";
            return Err(self.refuse("io_submit_mode", allowed));
        }
        let pause = self.thinktime()?;
        let blocks = self.int("thinktime_blocks")?.unwrap_or(1).max(1);
        let is_issued = match self.text("thinktime_blocks_type") {
            None | Some("complete") => false,
            Some("issue") => true,
            Some(_) => return Err(self.refuse("thinktime_blocks_type", "complete or issue")),
        };
        let closed = |pause, min_complete| Arrival::Closed { pause, min_complete };
        if pause.is_zero() {
            return Ok((closed(pause, self.min_complete(depth)?), depth));
        }
        if !is_issued && blocks == 1 {
            return Ok((closed(pause, depth), depth));
        }
        match u32::try_from(blocks) {
            Ok(blocks) if is_issued && blocks <= depth => Ok((closed(pause, blocks), blocks)),
            _ => {
                let allowed = "1, or up to iodepth with thinktime_blocks_type=issue: a pause comes \
                               after each round of ops that are in flight together";
                Err(self.refuse("thinktime_blocks", allowed))
            }
        }
    }

    /// Ops that must be done before the next round: as fio waits for, or until no more are in flight
    /// than `iodepth_low`, which is the depth if it is 0.
    fn min_complete(&self, depth: u32) -> Result<u32, SpecError> {
        let batch = self.int("iodepth_batch_complete_min")?.unwrap_or(1);
        let low = self.int("iodepth_low")?.filter(|low| *low > 0).unwrap_or(depth.into());
        let drained = u64::from(depth).saturating_sub(low);
        Ok(batch.max(drained).clamp(1, depth.into()) as u32)
    }

    /// Ops at a rate, if there is one. fio holds writes to the rate and lets fsyncs come on top of
    /// it; here the rate is that of all ops, so it is raised by their share.
    fn rate(&self, mix: &mut Mix, blocks: &Blocks) -> Result<Option<Arrival>, SpecError> {
        let (bytes, ops) = (self.rates("rate")?, self.rates("rate_iops")?);
        let is_given = |rates: Rates| rates.iter().any(Option::is_some);
        if is_given(bytes) && is_given(ops) {
            return Err(self.refuse("rate_iops", "nothing beside rate, as in fio"));
        }
        let option = if is_given(bytes) { "rate" } else { "rate_iops" };
        let in_ops = |rate| rate / (f64::from(blocks.bytes) * blocks.mean());
        let [reads, writes] = if is_given(bytes) { bytes.map(|it| it.map(in_ops)) } else { ops };
        let is_poisson = match self.text("rate_process") {
            None | Some("linear") => false,
            Some("poisson") => true,
            Some(_) => return Err(self.refuse("rate_process", "linear or poisson")),
        };
        let is_done = |weight: u32, rate| (weight > 0).then_some(rate);
        let per_s = match (is_done(mix.read, reads), is_done(mix.write, writes)) {
            (Some(Some(reads)), Some(Some(writes))) => {
                // Each has its own rate in fio, whatever shares the mix has.
                mix.read = (reads / (reads + writes) * 100.0).round().clamp(1.0, 99.0) as u32;
                mix.write = 100 - mix.read;
                reads + writes * ops_per_write(*mix)
            }
            (Some(Some(_)), Some(None)) | (Some(None), Some(Some(_))) => {
                return Err(self.refuse(option, "a rate for reads and one for writes, or none"));
            }
            (Some(Some(reads)), None) => reads,
            (None, Some(Some(writes))) => writes * ops_per_write(*mix),
            _ => return Ok(None),
        };
        if is_given(bytes) && blocks.is_cut && mix.order == Order::Random {
            let allowed = "rate_iops in its place: how many bytes an op has on average is not known, \
                           because those at random end where the next block was visited; or \
                           norandommap=1";
            return Err(self.refuse("rate", allowed));
        }
        if !limits::RATE_PER_S.contains(&per_s) {
            let (least, most) = (limits::RATE_PER_S.start(), limits::RATE_PER_S.end());
            let allowed = format!(
                "{least} to {most} ops per second, the fsyncs among them; this is {per_s:.3}"
            );
            return Err(self.refuse(option, allowed));
        }
        Ok(Some(if is_poisson { Arrival::Poisson { per_s } } else { Arrival::Rate { per_s } }))
    }

    /// The rates of an option, each if it is above 0.
    fn rates(&self, option: &'static str) -> Result<Rates, SpecError> {
        let mut rates = [None; 2];
        let texts = value::directions(self.text(option).unwrap_or(""));
        for (rate, text) in rates.iter_mut().zip(texts) {
            let found = text.map(|text| self.int_of(option, text)).transpose()?;
            *rate = found.filter(|rate| *rate > 0).map(|rate| rate as f64);
        }
        Ok(rates)
    }

    /// When the run ends: by time if it is `time_based`, else by size, and by time as well if
    /// one is given.
    pub(super) fn length(
        &self,
        size: Size,
        blocks: &Blocks,
        mix: Mix,
        files: u32,
    ) -> Result<Length, SpecError> {
        let time_based = self.is_on("time_based")?;
        let runtime = self.time("runtime", SECOND, 0.0..=*limits::RUN_SECONDS.end())?;
        let runtime = runtime.filter(|runtime| !runtime.is_zero());
        if runtime.is_some_and(|time| time.as_secs_f64() < *limits::RUN_SECONDS.start()) {
            let allowed = format!("{} seconds or more", limits::RUN_SECONDS.start());
            return Err(self.refuse("runtime", allowed));
        }
        match (runtime, time_based) {
            (Some(time), true) => return Ok(Length::Time(time)),
            (None, true) => {
                let allowed = "nothing without a runtime; add one, such as 30s";
                return Err(self.refuse("time_based", allowed));
            }
            (_, false) => {}
        }
        let ops = (size.io_blocks as f64 / blocks.mean()).ceil() as u64;
        let ops = ops.saturating_add(fsyncs(ops, mix, files));
        if !i64::try_from(ops).is_ok_and(|ops| limits::RUN_OPS.contains(&ops)) {
            let options = ["loops", "io_size"].into_iter().find(|option| self.given(option));
            let allowed = format!("{} ops at most", limits::RUN_OPS.end());
            return Err(self.refuse(options.unwrap_or("size"), allowed));
        }
        Ok(runtime.map_or(Length::Ops(ops), |time| Length::Either { ops, time }))
    }
}

/// A write, with its share of an fsync.
fn ops_per_write(mix: Mix) -> f64 {
    match mix.writes_per_fsync {
        0 => 1.0,
        writes => 1.0 + 1.0 / f64::from(writes),
    }
}

/// The fsyncs among N reads and writes: one per `writes_per_fsync` writes, exact if there is
/// nothing but writes.
fn fsyncs(io_blocks: u64, mix: Mix, files: u32) -> u64 {
    let per_fsync = u64::from(mix.writes_per_fsync);
    if per_fsync == 0 {
        return 0;
    }
    if mix.read > 0 {
        let writes = u128::from(io_blocks) * u128::from(mix.write) / 100;
        return (writes / u128::from(per_fsync)) as u64;
    }
    let files = u64::from(files);
    let of_file = |file: u64| {
        let writes = io_blocks / files + u64::from(file < io_blocks % files);
        // Files start that many writes apart, see `Stream`.
        (file % per_fsync + writes) / per_fsync
    };
    (0..files).map(of_file).sum()
}
