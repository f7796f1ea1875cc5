//! The commands `export` and `import`: their flags, and the files they read and write.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_reports::export::Format;
use iowq_reports::import::fio;
use iowq_reports::load;
use iowq_reports::output::write_whole;

/// The largest text of fio that is read: bins of a thousand jobs are some ten megabytes.
const FIO_BYTES_MAX: u64 = 256 << 20;

/// Flags of `export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// record.jsonl files, or the folders that they are in.
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// What to write.
    #[arg(long, value_enum)]
    format: Format,

    /// Export this workload alone, or again for more [default: all].
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,

    /// Where to write it [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Flags of `import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// A file that `fio --output-format=json+` wrote; again for more runs of the same job.
    #[arg(long, required = true, value_name = "FILE")]
    fio: Vec<PathBuf>,

    /// What to call the workload [default: the name of the job].
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,

    /// Where to write the records: a file that does not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Exports; gives back what is to be printed.
pub(crate) fn export(options: &Export) -> anyhow::Result<String> {
    let mut loaded = load::load(&options.records)?;
    loaded.keep_workloads(&options.workloads)?;
    for note in &loaded.notes {
        eprintln!("iowq-report: {}", note.text);
    }
    let failed = loaded.records.iter().filter(|record| record.error.is_some()).count();
    if failed == loaded.records.len() {
        bail!("no run finished, so that there is nothing to export: see the report for why");
    }
    if failed > 0 {
        eprintln!("iowq-report: left out because they failed: {failed}");
    }
    let text = options.format.text(&loaded.records);
    let Some(out) = &options.out else {
        return Ok(text);
    };
    if loaded.files.iter().any(|file| same(file, out)) {
        bail!("{}: is a record that was read: --out must be another file", out.display());
    }
    write_whole(out, text.as_bytes())
        .with_context(|| format!("{}: cannot be written", out.display()))?;
    Ok(format!("export   {}\n", out.display()))
}

fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// Imports; gives back what is to be printed.
pub(crate) fn import(options: &Import) -> anyhow::Result<String> {
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
    let runs = iowq_reports::format::count(records.len() as u64, "run", "runs");
    Ok(format!("record   {path}, {runs}\n"))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(FIO_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FIO_BYTES_MAX {
        bail!("longer than {} MiB: this is not a report of fio", FIO_BYTES_MAX >> 20);
    }
    Ok(text)
}
