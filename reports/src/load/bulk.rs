//! Bulk: what of a run pictures alone show. It is nearly all of a record, so that it is left in the
//! file and read again for those runs that are drawn.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use iowq_contract::jsonl::Line;
use iowq_contract::{Churn, Latency, Quantiles, Record};

use crate::load::line::parse;

/// Where the lines of runs are that have bulk.
#[derive(Debug, Default)]
pub struct Bulk {
    /// Of each file that was read, a copy if it can be read only once.
    copies: Vec<Option<File>>,
    /// Of each run, in their order.
    places: Vec<Place>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    file: usize,
    offset: u64,
    /// Length of its line; 0 of a run without bulk.
    bytes: usize,
    /// What the bulk was, as a number.
    pub(super) digest: u64,
    has_histogram: bool,
}

impl Bulk {
    /// Begins with a file.
    pub(super) fn begin(&mut self, is_stream: bool) -> io::Result<()> {
        self.copies.push(if is_stream { Some(tempfile::tempfile()?) } else { None });
        Ok(())
    }

    /// Takes the bulk out of a run that was read from a line of the last file.
    pub(super) fn take(&self, run: &mut Record, line: &Line) -> io::Result<Place> {
        let (digest, has_histogram) = (digest(run), has_histogram(&run.latency));
        let is_small = !has_any_histogram(&run.latency)
            && run.timeline.is_empty()
            && run.churn.births.is_empty()
            && run.workers.outlived_ms.is_empty();
        run.latency.drop_histograms();
        (run.timeline, run.churn) = (Vec::new(), Churn::default());
        run.workers.outlived_ms = Vec::new();
        let file = self.copies.len().saturating_sub(1);
        let bytes = if is_small { 0 } else { line.bytes.len() };
        let mut offset = line.offset;
        if let Some(Some(mut copy)) = self.copies.get(file).map(Option::as_ref) {
            offset = copy.stream_position()?;
            copy.write_all(&line.bytes[..bytes])?;
        }
        Ok(Place { file, offset, bytes, digest, has_histogram })
    }

    /// Notes where the next run is.
    pub(super) fn push(&mut self, place: Place) {
        self.places.push(place);
    }

    /// Leaves only the places of those runs that stay.
    pub(super) fn retain(&mut self, stays: &[bool]) {
        let mut stays = stays.iter();
        self.places.retain(|_| stays.next().copied().unwrap_or(true));
    }

    /// Whether the run at a place of all had a histogram, if it had bulk.
    pub(super) fn has_histogram(&self, at: usize) -> Option<bool> {
        self.places.get(at).map(|place| place.has_histogram)
    }

    /// The run at a place of all, read again; none if nothing was taken out of it.
    pub(super) fn whole(&self, at: usize, files: &[PathBuf]) -> io::Result<Option<Record>> {
        let Some(place) = self.places.get(at).filter(|place| place.bytes > 0) else {
            return Ok(None);
        };
        let path = files.get(place.file).map_or(Path::new(""), PathBuf::as_path);
        let fail =
            |what: &dyn std::fmt::Display| io::Error::other(format!("{}: {what}", path.display()));
        let read = || {
            let copy = self.copies.get(place.file).and_then(Option::as_ref);
            let opened = if copy.is_some() { None } else { Some(File::open(path)?) };
            let mut line = vec![0; place.bytes];
            copy.or(opened.as_ref())
                .map_or(Ok(()), |file| file.read_exact_at(&mut line, place.offset))?;
            Ok(line)
        };
        let line = read().map_err(|error: io::Error| fail(&error))?;
        let run = parse(&line).ok().filter(|run| digest(run) == place.digest);
        let changed = || fail(&"was changed while it was read: run the command again");
        run.ok_or_else(changed).map(Some)
    }
}

/// Whether there is a histogram of response times.
pub(super) fn has_histogram(latency: &Latency) -> bool {
    latency.response.values().any(|one: &Quantiles| !one.hdr_v2.is_empty())
}

/// Whether there is a histogram at all.
fn has_any_histogram(latency: &Latency) -> bool {
    let Latency { response, service, queue } = latency;
    let mut times = response.values().chain(service.values()).chain(queue.values());
    times.any(|one| !one.hdr_v2.is_empty())
}

fn digest(run: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    let stays = run.workers.outlived_ms.iter().map(|one| one.map(f64::to_bits));
    (&run.latency, &run.timeline, &run.churn, stays.collect::<Vec<_>>()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use iowq_sample as sample;

    use super::*;
    use crate::load;

    #[test]
    fn a_run_of_a_stream_and_of_a_file_is_read_again_as_it_was() -> io::Result<()> {
        let lines = sample::lines(&[sample::run("nop", "6.12", 0), sample::run("nop", "6.17", 0)]);
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("record.jsonl");
        fs::write(&path, &lines)?;
        let stream =
            load::read(lines.as_bytes(), Path::new("/dev/stdin")).map_err(io::Error::other)?;
        let file = load::load(&[path]).map_err(io::Error::other)?;
        for loaded in [stream, file] {
            for (run, line) in loaded.records.iter().zip(lines.lines()) {
                assert!(run.timeline.is_empty() && loaded.has_histogram([run].into_iter()));
                assert_eq!(parse(line.as_bytes()), Ok(loaded.whole(run)?.into_owned()));
            }
        }
        Ok(())
    }

    #[test]
    fn a_run_with_no_bulk_but_histograms_of_service_times_is_read_again_with_them() -> io::Result<()>
    {
        let mut run = sample::run("nop", "6.12", 0);
        run.latency.response = Latency::default().response;
        (run.timeline, run.churn) = (Vec::new(), Churn::default());
        run.workers.outlived_ms = Vec::new();
        assert!(run.latency.service.values().any(|one| !one.hdr_v2.is_empty()));
        let lines = sample::lines(std::slice::from_ref(&run));
        let loaded =
            load::read(lines.as_bytes(), Path::new("/dev/stdin")).map_err(io::Error::other)?;
        assert_eq!(loaded.whole(&loaded.records[0])?.latency, run.latency);
        Ok(())
    }

    #[test]
    fn a_run_that_was_changed_meanwhile_is_refused_with_its_file() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("record.jsonl");
        let lines = sample::lines(&[sample::run("nop", "6.12", 0)]);
        fs::write(&path, &lines)?;
        let loaded = load::load(std::slice::from_ref(&path)).map_err(io::Error::other)?;
        let other = sample::lines(&[sample::run("nop", "6.12", 1)]);
        for changed in [other, "{}".to_owned()] {
            fs::write(&path, changed)?;
            let error = loaded.whole(&loaded.records[0]).expect_err("it is another").to_string();
            assert!(error.starts_with(&*path.to_string_lossy()), "{error}");
        }
        Ok(())
    }
}
