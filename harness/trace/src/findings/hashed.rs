//! Rule: writes to few files wait for each other, however many workers there are.

use iowq_contract::trace::TraceProcess;

use super::{Context, REQUESTS_MIN, Said};

/// Workers for each file from which on most of them cannot work.
const WORKERS_PER_FILE_MIN: u32 = 3;

pub(super) fn rule(process: &TraceProcess, _: &Context) -> Option<Said> {
    let hashed: u64 = process.ops.iter().map(|op| op.hashed).sum();
    let queued: u64 = process.ops.iter().map(|op| op.queued).sum();
    let mut files: Vec<_> =
        process.files.iter().filter(|file| file.way.hashed).map(|file| &file.file).collect();
    files.sort_unstable();
    files.dedup();
    let count = u32::try_from(files.len()).ok().filter(|count| *count > 0)?;
    let crowded = process.peak >= count.saturating_mul(WORKERS_PER_FILE_MIN);
    if hashed < REQUESTS_MIN || hashed * 10 < queued * 9 || !crowded || process.files_more > 0 {
        return None;
    }
    let first = files.first().map_or("", |file| file);
    let on = if count == 1 { format!("on {first}") } else { format!("on {count} files") };
    Some(Said {
        statement: format!(
            "{hashed} of {queued} requests in io-wq were writes {on}, of which {count} at a time can \
             run, with up to {} workers",
            process.peak
        ),
        cause: "buffered writes to a regular file are hashed by its inode: io-wq runs one at a time \
                for each file",
        remedy: "more workers do not help; more files do, and so do O_DIRECT on ext4 and xfs since \
                 Linux 6.4, where writes are not hashed, and larger writes",
    })
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::{TraceFile, TraceOp, Way};

    use super::*;

    fn process(files: usize, peak: u32, hashed: u64) -> TraceProcess {
        let file = |nth| TraceFile {
            file: format!("/f{nth}"),
            op: "WRITE".into(),
            way: Way { hashed: true, ..Way::default() },
            queued: 100,
        };
        let op = TraceOp { op: "WRITE".into(), queued: 1000, hashed, ..TraceOp::default() };
        TraceProcess {
            peak,
            ops: vec![op],
            files: (0..files).map(file).collect(),
            ..TraceProcess::default()
        }
    }

    #[test]
    fn many_workers_for_writes_to_one_file_are_found() {
        let said = rule(&process(1, 64, 1000), &Context::default()).expect("63 cannot work");
        assert!(said.statement.contains("on /f0, of which 1 at a time"), "{}", said.statement);
    }

    #[test]
    fn as_many_files_as_workers_and_mixed_work_are_fine() {
        assert!(rule(&process(4, 8, 1000), &Context::default()).is_none());
        assert!(rule(&process(1, 64, 500), &Context::default()).is_none());
    }
}
