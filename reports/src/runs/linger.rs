//! How long the last worker stays: a time, or at least as long as anybody watched.

use iowq_contract::Record;

/// A watch that is shorter than this tells nothing: workers that are told to leave need some tens
/// of milliseconds, and more under emulation.
const WATCHED_MS_MIN: u64 = 300;

/// How long the last worker stayed in milliseconds. One that stayed until the end of the watch
/// counts as if it had left then, which is the least that it can be.
///
/// # Errors
///
/// Why the run does not tell, for a reader.
pub fn value(run: &Record) -> Result<f64, String> {
    if run.workers.peak == Some(0) {
        return Err("no worker lived, so that none stayed".to_owned());
    }
    match (run.settings.watched_ms, run.workers.linger_ms) {
        (Some(0), _) => Err("workers were terminated at once, so that their stay was not \
                             measured"
            .to_owned()),
        (Some(watched_ms), _) if watched_ms < WATCHED_MS_MIN => {
            Err(format!("it needs a watch of {WATCHED_MS_MIN} ms, which was {watched_ms} ms"))
        }
        (_, Some(linger_ms)) => Ok(linger_ms),
        (Some(watched_ms), None) => Ok(watched_ms as f64),
        (None, None) => Err("the last worker stayed until the end, or was not watched".to_owned()),
    }
}

/// Whether the last worker was still there when the watch ended.
pub fn stayed(run: &Record) -> bool {
    run.workers.linger_ms.is_none() && value(run).is_ok()
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::compare::stayed::note;
    use crate::runs::unit::units;

    fn run(watched_ms: Option<u64>, linger_ms: Option<f64>) -> Record {
        let mut run = sample::run("linger", "6.12", 0);
        run.settings.watched_ms = watched_ms;
        run.workers.linger_ms = linger_ms;
        run
    }

    #[test]
    fn a_stay_to_the_end_of_the_watch_counts_as_long_as_the_watch() {
        assert_eq!(value(&run(Some(6_000), None)), Ok(6_000.0));
        assert_eq!(value(&run(Some(6_000), Some(20.0))), Ok(20.0));
        for unwatched in [Some(0), Some(100)] {
            assert!(value(&run(unwatched, None)).is_err());
            assert!(value(&run(unwatched, Some(0.0))).is_err());
        }
        assert_eq!(value(&run(None, Some(20.0))), Ok(20.0));
        assert!(value(&run(None, None)).is_err());
    }

    #[test]
    fn the_note_says_on_which_side_workers_stayed() {
        let (stays, leaves) = (run(Some(6_000), None), run(Some(6_000), Some(20.0)));
        let note = note(&units(&[&stays]), &units(&[&leaves])).expect("one stayed");
        assert!(note.text.contains("1 of 1 runs of the base and 0 of 1 of the test"), "{note:?}");
        assert!(crate::compare::stayed::note(&units(&[&leaves]), &units(&[&leaves])).is_none());
    }
}
