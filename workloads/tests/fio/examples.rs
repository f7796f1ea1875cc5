//! fio's own example files, which are read if they are there: `fio/examples.md` says what becomes of
//! each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use iowq_workloads::Engines;

use super::answer_as;

/// The folder `examples` of a copy of fio's sources.
const FOLDER: &str = "IOWQ_FIO_EXAMPLES";

/// A row of the table.
struct Row {
    name: String,
    flag: Engines,
    /// How many workloads it is, or a part of why it is refused.
    outcome: Result<usize, String>,
}

fn rows() -> Vec<Row> {
    let table = include_str!("../../fio/examples.md");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, flag, outcome, _] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        let workloads = outcome.split_once(" workload").and_then(|(count, _)| count.parse().ok());
        Some(Row {
            name: format!("{name}.fio"),
            flag: if flag.is_empty() { Engines::IoUring } else { Engines::AsIoUring },
            outcome: workloads.ok_or_else(|| outcome.trim_matches('`').to_owned()),
        })
    });
    rows.collect()
}

/// What became of a file in that folder.
fn answer(folder: &Path, name: &str, engines: Engines) -> String {
    let text = std::fs::read_to_string(folder.join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    answer_as(&text, engines)
}

#[test]
fn examples_are_taken_or_refused_as_the_table_says() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        println!("skipped: {FOLDER} names no folder with fio's examples");
        return;
    };
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for Row { name, flag, outcome } in rows() {
        let found = answer(&folder, &name, flag);
        let is_right = match &outcome {
            Ok(count) => found == format!("accepted {count}"),
            Err(reason) => found.contains(reason),
        };
        if !is_right {
            wrong.push(format!("{name}: {outcome:?}, found:\n{found}"));
        }
        if outcome.is_ok() && flag == Engines::AsIoUring {
            let bare = answer(&folder, &name, Engines::IoUring);
            assert!(bare.contains("add --as-io-uring"), "{name}: {bare}");
        }
        known.insert(name);
    }
    for file in std::fs::read_dir(&folder).expect("a folder").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if name.ends_with(".fio") && !known.contains(&name) {
            let found = answer(&folder, &name, Engines::AsIoUring);
            if found.starts_with("accepted") {
                wrong.push(format!("{name} is taken, and in no row"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
