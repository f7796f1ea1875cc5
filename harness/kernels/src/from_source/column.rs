//! Columns: the kernels of a request, each with the files in which it differs from the source.

use std::iter;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::files;
use super::patch::{Overlay, Patch, Stage};
use super::run::Runner;
use super::source::Source;
use super::{BuildError, Request, short};

/// Longest label: it stands in tables, file names and legends.
const LABEL_CHARS_MAX: usize = 32;

/// A kernel to build.
pub(super) struct Column {
    pub(super) label: String,
    /// File names of its patches.
    pub(super) patches: Vec<String>,
    /// Digests of its patches.
    digests: Vec<String>,
    /// What its patches make of the files that they touch.
    pub(super) files: Overlay,
}

impl Column {
    /// What tells this kernel from others in the cache.
    pub(super) fn digest(&self, source: &str, config: &Config, compiler: &str) -> String {
        let mut parts = vec![source, config.digest(), compiler];
        parts.extend(self.digests.iter().map(String::as_str));
        short(&files::sha256(parts.join("\n").as_bytes()))
    }
}

/// The kernels of a request. That each patch applies is known afterwards.
pub(super) fn columns(
    request: &Request,
    source: &Source,
    cache: &Path,
    run: &Runner<'_>,
) -> Result<Vec<Column>, BuildError> {
    let (aids, patches) = (read(&request.aids)?, read(&request.patches)?);
    let mut stage = Stage::new(source, cache)?;
    for aid in &aids {
        stage.apply(aid, run)?;
    }
    let labels = labels(&patches.iter().map(Patch::name).collect::<Vec<_>>());
    let steps = iter::once(None).chain(patches.iter().map(Some));
    let mut columns = Vec::new();
    for (number, (label, step)) in labels.into_iter().zip(steps).enumerate() {
        if let Some(patch) = step {
            stage.apply(patch, run)?;
        }
        let all = || aids.iter().chain(&patches[..number]);
        columns.push(Column {
            label,
            patches: all().map(Patch::name).collect(),
            digests: all().map(|patch| patch.digest.clone()).collect(),
            files: stage.files()?,
        });
    }
    Ok(columns)
}

fn read(paths: &[PathBuf]) -> Result<Vec<Patch>, BuildError> {
    paths.iter().map(|path| Patch::read(path)).collect()
}

/// `base`, and a label for each patch by its file name; no label twice.
fn labels(patches: &[String]) -> Vec<String> {
    let mut labels = vec!["base".to_owned()];
    for (number, name) in (1..).zip(patches) {
        let plain = plain(name).unwrap_or_else(|| format!("patch-{number}"));
        let numbered = (2..).map(|number| {
            let end = format!("-{number}");
            let head = LABEL_CHARS_MAX - end.len();
            plain.chars().take(head).collect::<String>() + &end
        });
        let mut candidates = iter::once(plain.clone()).chain(numbered);
        labels.extend(candidates.find(|label| !labels.contains(label)));
    }
    labels
}

/// A file name as a label: without its ending, in plain signs; none where no sign of it is plain.
fn plain(name: &str) -> Option<String> {
    let stem = [".patch", ".diff", ".mbox", ".eml"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let sign = |c: char| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '-' };
    let signs: String = stem.chars().map(sign).collect();
    // A label begins with a letter or a number.
    let label = signs.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let label: String = label.chars().take(LABEL_CHARS_MAX).collect();
    let label = label.trim_end_matches(['-', '.']);
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        labels(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn kernels_are_called_after_their_last_patch() {
        assert_eq!(of(&[]), ["base"]);
        assert_eq!(
            of(&["A.patch", "0002-io-wq-x.diff", "b c"]),
            ["base", "A", "0002-io-wq-x", "b-c"]
        );
    }

    #[test]
    fn a_name_without_a_plain_sign_gets_its_place_as_a_label() {
        let foreign = "\u{4fee}\u{590d}";
        let names = [foreign, &format!("{foreign}.patch"), &format!("0003-{foreign}.diff"), "_.x"];
        assert_eq!(of(&names)[1..], ["patch-1", "patch-2", "0003", "x"]);
        let long = format!("{}fix.patch", foreign.repeat(LABEL_CHARS_MAX));
        assert_eq!(of(&["patch-2.patch", "...", &long])[1..], ["patch-2", "patch-2-2", "fix"]);
    }

    #[test]
    fn labels_are_short_and_none_is_there_twice() {
        let long = "0001-io_uring-io-wq-only-create-a-worker-if.patch";
        assert_eq!(of(&[long])[1], "0001-io_uring-io-wq-only-create");
        let same = of(&[long, long, "base.patch", "base.diff"]);
        assert_eq!(same[2], "0001-io_uring-io-wq-only-creat-2");
        assert_eq!(same[3..], ["base-2", "base-3"]);
        assert!(same.iter().all(|label| label.len() <= LABEL_CHARS_MAX), "{same:?}");
    }
}
