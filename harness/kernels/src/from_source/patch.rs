//! Patches: reading them, and applying a series to copies of the files that it touches, so that
//! all of it is known to apply before anything is built.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::BuildError;
use super::files::{self, Content};
use super::run::Runner;
use super::source::Source;

/// What files hold that a series touched, by their path in the source; `None` where there is none.
pub(super) type Overlay = BTreeMap<PathBuf, Option<Content>>;

/// A patch.
pub(super) struct Patch {
    /// The file, as an absolute path.
    path: PathBuf,
    /// SHA-256 of the file.
    pub(super) digest: String,
    /// Files that it touches.
    touches: BTreeSet<PathBuf>,
}

impl Patch {
    pub(super) fn read(path: &Path) -> Result<Patch, BuildError> {
        let bytes = files::read(path)?;
        let touches = touches(&String::from_utf8_lossy(&bytes));
        if touches.is_empty() {
            return Err(BuildError::patch(
                path,
                "is no patch: it names no file to change. What `git format-patch` and `diff -ru` \
                 write is taken",
            ));
        }
        let path = path.canonicalize().map_err(|cause| BuildError::io("read", path, cause))?;
        Ok(Patch { path, digest: files::sha256(&bytes), touches })
    }

    /// The file's name.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The files that a patch names, without the first part of their paths, as `patch -p1` takes them.
fn touches(text: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            // Renames and empty files have no other line that names both.
            found.extend(names.split_once(" b/").and_then(|(old, _)| inside(old)));
            found.extend(names.rsplit_once(" b/").and_then(|(_, new)| inside(&format!("b/{new}"))));
        } else if let Some(old) = line.strip_prefix("--- ")
            && let Some(new) = lines.peek().and_then(|next| next.strip_prefix("+++ "))
        {
            found.extend([old, new].into_iter().filter_map(inside));
        }
    }
    found
}

/// The path of a name such as `a/io_uring/io-wq.c`, where it stays inside the source.
fn inside(name: &str) -> Option<PathBuf> {
    // `diff -u` writes a time behind the name.
    let name = name.split('\t').next().unwrap_or_default().trim_end();
    let (_, path) = name.split_once('/')?;
    let path = Path::new(path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (name != "/dev/null" && plain && !path.as_os_str().is_empty()).then(|| path.to_owned())
}

/// Folder for a [`Stage`], in the cache.
const STAGE: &str = "stage";

/// Copies of the files that a series touches, in a folder of their own. It is gone with the stage,
/// or with the next one where a build was killed: a cache is locked, so there is one at a time.
pub(super) struct Stage<'a> {
    source: &'a Source,
    folder: TempDir,
    staged: BTreeSet<PathBuf>,
    applied: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(source: &'a Source, cache: &Path) -> Result<Stage<'a>, BuildError> {
        files::remove(&cache.join(STAGE))?;
        let folder = tempfile::Builder::new().prefix(STAGE).rand_bytes(0).tempdir_in(cache);
        let folder = folder.map_err(|cause| BuildError::io("create a folder in", cache, cause))?;
        Ok(Stage { source, folder, staged: BTreeSet::new(), applied: Vec::new() })
    }

    /// Applies the next patch.
    pub(super) fn apply(&mut self, patch: &Patch, run: &Runner<'_>) -> Result<(), BuildError> {
        for path in &patch.touches {
            if self.staged.insert(path.clone())
                && let Some(content) = self.source.original(path)?
            {
                files::write(&self.folder.path().join(path), &content)?;
            }
        }
        let mut input = OsString::from("--input=");
        input.push(&patch.path);
        let mut command = Command::new("patch");
        command
            // A patch may be at other lines, but what is around must be what it says: a guess
            // would be measured as if it were the patch.
            .args(["--strip=1", "--batch", "--forward", "--fuzz=0", "--reject-file=-"])
            .arg("--no-backup-if-mismatch")
            .arg(input)
            .current_dir(self.folder.path())
            .env("LC_ALL", "C");
        let output = run.output(&command)?;
        if !output.status.success() {
            let said =
                String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            return Err(BuildError::patch(&patch.path, self.refusal(said.trim())));
        }
        self.applied.push(patch.name());
        Ok(())
    }

    /// What the files hold now.
    pub(super) fn files(&self) -> Result<Overlay, BuildError> {
        let content =
            |path: &PathBuf| Ok((path.clone(), files::content(&self.folder.path().join(path))?));
        self.staged.iter().map(content).collect()
    }

    fn refusal(&self, said: &str) -> String {
        let on = match self.applied.as_slice() {
            [] => self.source.path().display().to_string(),
            applied => format!("{} with {}", self.source.path().display(), applied.join(", ")),
        };
        let hunks = refused(said);
        let hunks =
            if hunks.is_empty() { String::new() } else { format!(": {}", hunks.join(", ")) };
        format!("does not apply to {on}{hunks}. Nothing was built. patch said:\n{said}")
    }
}

/// The hunks that `patch` refused, by file and line.
fn refused(said: &str) -> Vec<String> {
    let mut file = "";
    let mut found = Vec::new();
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("patching file ") {
            file = name;
        } else if let Some(rest) = line.strip_prefix("Hunk #")
            && let Some((number, at)) = rest.split_once(" FAILED at ")
        {
            let at = at.split(['.', ' ']).next().unwrap_or_default();
            found.push(format!("hunk {number} of {file} (line {at})"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        touches(text).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_mail_is_read_like_a_bare_diff() {
        let diff = "--- a/io_uring/io-wq.c\n+++ b/io_uring/io-wq.c\n@@ -1 +1 @@\n-a\n+b\n";
        let mail = format!(
            "From 0123 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\nText.\n---\n \
             io_uring/io-wq.c | 2 +-\n\ndiff --git a/io_uring/io-wq.c b/io_uring/io-wq.c\n{diff}-- \n2.39\n"
        );
        assert_eq!(names(diff), ["io_uring/io-wq.c"]);
        assert_eq!(names(&mail), ["io_uring/io-wq.c"]);
        assert!(names("A text about a/patch.\n---\n+++\n").is_empty());
    }

    #[test]
    fn new_and_renamed_files_are_touched_on_both_sides() {
        let new = "--- /dev/null\n+++ b/new.c\t2026-01-01 00:00:00\n@@ -0,0 +1 @@\n+x\n";
        assert_eq!(names(new), ["new.c"]);
        let renamed = "diff --git a/old.c b/sub/new.c\nrename from old.c\nrename to sub/new.c\n";
        assert_eq!(names(renamed), ["old.c", "sub/new.c"]);
    }

    #[test]
    fn a_path_that_leaves_the_source_is_not_followed() {
        assert!(names("--- a/../../etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n").is_empty());
    }

    #[test]
    fn each_refused_hunk_is_named() {
        let said = "patching file a.c\nHunk #1 succeeded at 3.\nHunk #2 FAILED at 7.\n1 out of 2 \
                    hunks FAILED\npatching file b.c\nHunk #1 FAILED at 1 (different line endings).";
        assert_eq!(refused(said), ["hunk 2 of a.c (line 7)", "hunk 1 of b.c (line 1)"]);
    }
}
