//! The series: the kernels of a request, each as a tree of the repository.

use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::LABEL_BYTES_MAX;

use super::config::Config;
use super::files;
use super::git::Index;
use super::run::Runner;
use super::source::Source;
use crate::sha256;

/// A kernel to build.
pub(super) struct Revision {
    pub(super) label: String,
    /// File names of its patches.
    pub(super) patches: Vec<String>,
    /// The source with these patches, as git names it: a digest of all files.
    pub(super) tree: String,
}

impl Revision {
    /// What identifies this kernel in the cache.
    pub(super) fn digest(&self, config: &Config, compiler: &str) -> String {
        let parts = [&self.tree, config.digest(), compiler];
        files::short(&sha256::of_bytes(parts.join("\n").as_bytes()))
    }
}

/// The kernels of a request: the source with the patches that all kernels have, and one more with
/// each further patch. That each patch applies is known afterwards.
pub(super) fn revisions(
    aids: &[PathBuf],
    patches: &[PathBuf],
    source: &Source,
    run: &mut Runner<'_>,
) -> anyhow::Result<Vec<Revision>> {
    let git = &source.repository;
    git.begin_series(&git.tree(Index::Source, run)?, run)?;
    let mut applied = Vec::new();
    for aid in aids {
        apply(aid, source, &mut applied, run)?;
    }
    let names: Vec<_> = patches.iter().map(|path| name(path)).collect();
    let steps = iter::once(None).chain(patches.iter().map(Some));
    let mut revisions = Vec::new();
    for (label, step) in labels(&names).into_iter().zip(steps) {
        if let Some(patch) = step {
            apply(patch, source, &mut applied, run)?;
        }
        let tree = git.tree(Index::Series, run)?;
        revisions.push(Revision { label, patches: applied.clone(), tree });
    }
    Ok(revisions)
}

fn name(patch: &Path) -> String {
    patch.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn apply(
    patch: &Path,
    source: &Source,
    applied: &mut Vec<String>,
    run: &mut Runner<'_>,
) -> anyhow::Result<()> {
    let absolute =
        patch.canonicalize().with_context(|| format!("cannot read {}", patch.display()))?;
    let output = source.repository.apply(&absolute, run)?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() {
        for moved in moved(&said) {
            run.say(&format!("{}: {moved}", patch.display()));
        }
        applied.push(name(patch));
        return Ok(());
    }
    if said.contains("No valid patches in input") {
        bail!(
            "{}: is no patch: it names no file to change. What `git format-patch` and `diff -ru` \
             write is taken",
            patch.display()
        );
    }
    let with =
        if applied.is_empty() { String::new() } else { format!(" with {}", applied.join(", ")) };
    let hunks = refused(&said);
    let hunks = if hunks.is_empty() { String::new() } else { format!(": {}", hunks.join(", ")) };
    let on = source.path.display();
    bail!(
        "{}: does not apply to {on}{with}{hunks}. Nothing was built. git said:\n{said}",
        patch.display()
    )
}

/// The hunks that git refused, by file and line: the first of each file.
fn refused(said: &str) -> Vec<String> {
    let place = |line: &str| {
        let (file, line) = line.strip_prefix("error: patch failed: ")?.rsplit_once(':')?;
        Some(format!("the hunk of {file} at line {line}"))
    };
    said.lines().filter_map(place).collect()
}

/// The hunks that apply at other lines than they say, by file.
fn moved(said: &str) -> Vec<String> {
    let mut file = "";
    let mut moved = Vec::new();
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("Checking patch ") {
            file = name.trim_end_matches("...");
        } else if line.starts_with("Hunk #") && line.contains("offset") {
            moved.push(format!("{file}: {line}"));
        }
    }
    moved
}

/// `base`, and a label for each patch by its file name; no label twice.
fn labels(patches: &[String]) -> Vec<String> {
    let mut labels = vec!["base".to_owned()];
    for (number, name) in (1..).zip(patches) {
        let plain = plain(name).unwrap_or_else(|| format!("patch-{number}"));
        let numbered = (2..).map(|number| {
            let end = format!("-{number}");
            let head = LABEL_BYTES_MAX - end.len();
            plain.chars().take(head).collect::<String>() + &end
        });
        let mut candidates = iter::once(plain.clone()).chain(numbered);
        labels.extend(candidates.find(|label| !labels.contains(label)));
    }
    labels
}

/// A file name as a label: without its ending, in plain signs; none if no sign of it is plain.
fn plain(name: &str) -> Option<String> {
    let stem = [".patch", ".diff", ".mbox", ".eml"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let sign = |c: char| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '-' };
    let signs: String = stem.chars().map(sign).collect();
    // A label begins with a letter or a number.
    let label = signs.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let label: String = label.chars().take(LABEL_BYTES_MAX).collect();
    let label = label.trim_end_matches(['-', '.']);
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_that_are_refused_or_applied_elsewhere_are_named() {
        let said = "Checking patch a.c...\nHunk #1 succeeded at 5 (offset 4 lines).\n\
                    Checking patch b c.c...\nerror: while searching for:\nx\n\n\
                    error: patch failed: b c.c:7\nerror: b c.c: patch does not apply\n";
        assert_eq!(refused(said), ["the hunk of b c.c at line 7"]);
        assert_eq!(moved(said), ["a.c: Hunk #1 succeeded at 5 (offset 4 lines)."]);
    }

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
        let long = format!("{}fix.patch", foreign.repeat(LABEL_BYTES_MAX));
        assert_eq!(of(&["patch-2.patch", "...", &long])[1..], ["patch-2", "patch-2-2", "fix"]);
    }

    #[test]
    fn labels_are_short_and_none_is_there_twice() {
        let long = "0001-io_uring-io-wq-only-create-a-worker-if.patch";
        assert_eq!(of(&[long])[1], "0001-io_uring-io-wq-only-create");
        let same = of(&[long, long, "base.patch", "base.diff"]);
        assert_eq!(same[2], "0001-io_uring-io-wq-only-creat-2");
        assert_eq!(same[3..], ["base-2", "base-3"]);
        assert!(same.iter().all(|label| label.len() <= LABEL_BYTES_MAX), "{same:?}");
    }
}
