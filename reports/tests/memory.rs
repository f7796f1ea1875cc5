//! Memory: what a run takes of it once it was read, and what a report takes of four times the runs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use iowq_contract::Record;
use iowq_reports::load;
use iowq_reports::output::{ReportRequest, report};
use iowq_sample as sample;

/// Counts what is allocated, and the most that was at one time.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's own, with the layout that it was made with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller keeps to the contract of this function, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One measurement at a time: all tests count in the same place.
static ONE: Mutex<()> = Mutex::new(());

/// Bytes that are held once `work` is done, and the most that were held meanwhile.
fn bytes_of<T>(work: impl FnOnce() -> T) -> (usize, usize) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let made = work();
    let held = LIVE.load(Relaxed).saturating_sub(before);
    drop(made);
    (held, PEAK.load(Relaxed).saturating_sub(before))
}

/// A file of runs of one cell, with all that a bench writes down of each.
fn file(dir: &Path, runs: u32) -> PathBuf {
    let mut run = sample::run("dsync", "6.12", 0);
    let lines = (0..runs).map(|place| {
        sample::at(&mut run, place);
        run.key.round = place;
        sample::lines(std::slice::from_ref(&run))
    });
    let path = dir.join("record.jsonl");
    fs::write(&path, lines.collect::<String>()).expect("it is written");
    path
}

#[test]
fn a_run_takes_less_than_a_tenth_of_its_line_once_it_was_read() {
    let _one = ONE.lock();
    let dir = tempfile::tempdir().expect("a folder can be made");
    let path = file(dir.path(), 100);
    let written = fs::metadata(&path).expect("it is there").len() as usize;
    let paths = [path];
    let (held, peak) = bytes_of(|| load::load(&paths).expect("it is a record"));
    assert!(held * 10 < written, "{held} bytes of {written} are held");
    assert!(peak * 5 < written, "{peak} bytes of {written} were held");
    let whole = load::load(&paths).expect("it is a record");
    let run: &Record = whole.records.last().expect("there is one");
    assert!(run.timeline.is_empty() && whole.has_histogram([run].into_iter()));
    let again = whole.whole(run).expect("it is there");
    assert!(!again.timeline.is_empty() && again.latency.response["all"].histogram().is_some());
}

#[test]
fn a_report_of_four_times_the_runs_takes_less_than_twice_the_memory() {
    let _one = ONE.lock();
    let peak = |runs| {
        let dir = tempfile::tempdir().expect("a folder can be made");
        let records = [file(dir.path(), runs)];
        let request = ReportRequest { records: &records, text_width: 80, ..Default::default() };
        bytes_of(|| report(&request).expect("it is a record")).1
    };
    let (few, many) = (peak(100), peak(400));
    assert!(many < few * 2, "{few} bytes for 100 runs and {many} for 400");
}
