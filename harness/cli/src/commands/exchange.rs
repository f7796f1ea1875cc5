//! `export` and `import`: runs as text that other tools read, and what other tools measured as runs.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use iowq_reports::import::fio;
use iowq_reports::load;
use iowq_reports::output::write_whole;
use serde_json::json;

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::exchange::{ExportFlags, ImportFlags};
use crate::print::{self, print, print_json};

/// The largest text of fio that is read: bins of a thousand jobs are some ten megabytes.
const FIO_BYTES_MAX: u64 = 256 << 20;

/// Runs `export`.
pub(crate) fn export(options: &ExportFlags) -> anyhow::Result<Exit> {
    let mut loaded = load::load(&options.records)?;
    loaded.keep_workloads(&options.workloads)?;
    for note in &loaded.notes {
        print::note(note);
    }
    let failed = loaded.records.iter().filter(|record| record.error.is_some()).count();
    if failed == loaded.records.len() {
        bail!("no run finished, so that there is nothing to export: see the report for why");
    }
    if failed > 0 {
        print::note(&format!("left out because they failed: {failed}"));
    }
    let text = options.format.text(&loaded.records);
    let Some(out) = &options.out else {
        print(&text)?;
        return Ok(Exit::Fine);
    };
    if loaded.files.iter().any(|file| same(file, out)) {
        bail!("{}: is a record that was read: --out must be another file", out.display());
    }
    write_whole(out, text.as_bytes())
        .with_context(|| format!("{}: cannot be written", out.display()))?;
    print(&format!("export   {}\n", out.display()))?;
    Ok(Exit::Fine)
}

fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// Runs `import`.
pub(crate) fn import(options: &ImportFlags) -> anyhow::Result<Exit> {
    let mut records = Vec::new();
    for (pair, path) in (0..).zip(&options.fio) {
        let text = read(path).with_context(|| path.display().to_string())?;
        let imported = fio::records(&text, options.workload.as_deref());
        let imported = imported.map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()));
        for mut record in imported? {
            // Files are taken in the order in which they were named; nobody says which run was
            // made beside which.
            record.key.round = pair;
            record.key.position = u32::try_from(records.len()).unwrap_or(u32::MAX);
            records.push(record);
        }
    }
    let mut lines = String::new();
    for record in &records {
        lines.push_str(&serde_json::to_string(record)?);
        lines.push('\n');
    }
    let path = options.out.display();
    let mut file = File::create_new(&options.out)
        .with_context(|| format!("{path}: cannot be made, and --out replaces no file"))?;
    let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_all());
    written.with_context(|| format!("{path}: cannot be written"))?;
    match options.format {
        Format::Text => {
            let runs = iowq_reports::format::count(records.len() as u64, "run", "runs");
            print(&format!("record   {path}, {runs}\n"))?;
        }
        Format::Json => print_json(&json!({ "record": options.out, "runs": records.len() }))?,
    }
    Ok(Exit::Fine)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(FIO_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FIO_BYTES_MAX {
        bail!("longer than {} MiB: this is not a report of fio", FIO_BYTES_MAX >> 20);
    }
    Ok(text)
}
