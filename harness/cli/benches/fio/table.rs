//! The table of a comparison, with what must be known to read it.

use std::fmt::Write as _;

use super::run::{Run, Tool};
use super::spread::{median, range};

/// fsyncs per write may differ by this much and the two still do the same.
const ALIKE: f64 = 0.02;

/// The whole text of fio-comparison.txt.
pub fn text(version: &str, rounds: u32, seconds: u32, runs: &[Run]) -> String {
    let mut text = format!(
        "The engine uring beside {version}: {rounds} rounds of {seconds} s each, after 1 s of \
         warm-up.\nReads and writes per second, median (least to most); fsyncs are not counted.\n\n\
         {:<13} {:>5}  {:>24}  {:>24}  {:>19}  {}\n",
        "job", "depth", "fio", "iowq", "iowq/fio", "fsyncs/write fio, iowq"
    );
    let mut jobs: Vec<(&str, u32)> = runs.iter().map(|run| (run.job, run.depth)).collect();
    jobs.sort_unstable();
    jobs.dedup();
    let mut unlike = false;
    for (job, depth) in jobs {
        let of = |tool: Tool, what: fn(&Run) -> f64| -> Vec<f64> {
            let mut found: Vec<&Run> = runs
                .iter()
                .filter(|run| (run.tool, run.job, run.depth) == (tool, job, depth))
                .collect();
            found.sort_by_key(|run| run.round);
            found.into_iter().map(what).collect()
        };
        let (fio, iowq) = (of(Tool::Fio, |run| run.iops), of(Tool::Iowq, |run| run.iops));
        let ratios = fio.iter().zip(&iowq).map(|(fio, iowq)| iowq / fio).collect();
        let fsyncs = [Tool::Fio, Tool::Iowq].map(|tool| median(of(tool, |r| r.fsyncs_per_write)));
        let mark = if (fsyncs[0] - fsyncs[1]).abs() > ALIKE { " *" } else { "" };
        unlike |= !mark.is_empty();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{job:<13} {depth:>5}  {:>24}  {:>24}  {:>19}  {:.2}, {:.2}{mark}",
            range(fio, 0),
            range(iowq, 0),
            range(ratios, 2),
            fsyncs[0],
            fsyncs[1],
        );
    }
    text.push_str(&notes(unlike));
    text
}

fn notes(unlike: bool) -> String {
    let unlike = if unlike {
        "* Not the same work. With fsync=N and a depth above 1, fio's io_uring engine fills every \
         place\n  that is free in the queue with an fsync until one of them is done; iowq issues \
         one for each N\n  writes. Only the rows without the mark compare like with like.\n"
    } else {
        ""
    };
    format!(
        "\n{unlike}\
         Both: one thread, io_uring, plain file descriptors, no SQPOLL, files of their own in one \
         folder, laid\n  out before; the two runs of a job follow each other, in an order drawn \
         from the seed.\n\
         fio: its defaults, so no verify, and the buffers of writes are filled once and changed a \
         little for\n  each write (scramble_buffers); each op has its latency taken.\n\
         iowq: every block written has bytes of its own, filled in the submitting thread, and is \
         compared\n  after the run; each op has its latency taken twice (service and response); \
         nothing watches.\n\
         The file of reads-async has data with both, and is in the page cache from the start.\n"
    )
}
