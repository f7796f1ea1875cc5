//! Whole builds, of a source that mimics the few targets of a kernel's Makefile that are used.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::config::Config;
use super::{BuildError, Built, Request, build_with};
use crate::stop::Stop;

/// An option in `lacks` is unknown to this source. The image is all objects in a row, and
/// `compiled` has a line for each that was made.
const MAKEFILE: &str = "\
objects := $(O)/a.o $(O)/b.o
image := $(O)/arch/x86/boot/bzImage

allnoconfig:
\tgrep -v -x -F -f lacks $(KCONFIG_ALLCONFIG) > $(O)/.config; true
olddefconfig:
\tgrep -v -x -F -f lacks $(O)/.config > $(O)/.config.new; mv $(O)/.config.new $(O)/.config
bzImage: $(image)
$(image): $(objects)
\tmkdir -p $(O)/arch/x86/boot $(O)/include/config
\tcat $(objects) > $(image)
\techo 6.12.0-fake > $(O)/include/config/kernel.release
$(O)/%.o: %.c
\techo $< >> $(O)/compiled
\tgrep -v broken $< > $@
";

const OPTIONS: &str = "CONFIG_A=y\nCONFIG_B=y\n";

/// A place for a test: a source and a cache.
struct Place {
    folder: TempDir,
    said: Vec<String>,
}

impl Place {
    /// None, with a word about it, if the machine lacks what the test takes.
    fn new(test: &str) -> Option<Place> {
        for tool in ["make", "tar", "git"] {
            let mut command = Command::new(tool);
            let command = command.arg("--version").stdout(Stdio::null());
            if !command.status().is_ok_and(|status| status.success()) {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "\nskipped: {test}: there is no {tool}");
                return None;
            }
        }
        let place = Place { folder: tempfile::tempdir().expect("a folder"), said: Vec::new() };
        place.write("linux/Makefile", MAKEFILE);
        place.write("linux/Kconfig", "");
        place.write("linux/lacks", "CONFIG_OF_A_LATER_RELEASE=y\n");
        place.write("linux/a.c", "a1\na2\na3\n");
        place.write("linux/b.c", "b1\nb2\nb3\n");
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("written");
        path
    }

    /// A patch that replaces one line of a file of three lines.
    fn patch(&self, name: &str, file: &str, old: &str, new: &str) -> PathBuf {
        let lines = |middle: &str| format!(" {0}1\n{middle} {0}3\n", &file[..1]);
        let hunk = lines(&format!("-{old}\n+{new}\n"));
        self.write(name, &format!("--- a/{file}\n+++ b/{file}\n@@ -1,3 +1,3 @@\n{hunk}"))
    }

    fn build(&mut self, source: &str, patches: &[PathBuf]) -> anyhow::Result<Vec<Built>> {
        self.build_as(source, patches, &[], OPTIONS)
    }

    fn build_as(
        &mut self,
        source: &str,
        patches: &[PathBuf],
        aids: &[PathBuf],
        options: &str,
    ) -> anyhow::Result<Vec<Built>> {
        let request = Request {
            source: self.path(source),
            patches: patches.to_vec(),
            aids: aids.to_vec(),
            cache: self.path("cache"),
            jobs: 1,
            config: None,
        };
        let config = Config::of(options.to_owned(), None);
        self.said.clear();
        let mut say = |line: &str| self.said.push(line.to_owned());
        build_with(&request, &config, "a compiler", &Stop::default(), &mut say)
    }

    /// What belongs to the only source.
    fn of_source(&self, name: &str) -> PathBuf {
        let mut sources = fs::read_dir(self.path("cache/sources")).expect("sources");
        sources.next().expect("a source").expect("an entry").path().join(name)
    }

    /// The copy of the only source.
    fn copy(&self) -> PathBuf {
        self.of_source("tree")
    }

    /// The files that were compiled so far, in order.
    fn compiled(&self) -> String {
        let list = fs::read_to_string(self.of_source("objects/compiled"));
        list.unwrap_or_default().replace('\n', " ")
    }
}

fn image(built: &Built) -> String {
    fs::read_to_string(&built.bzimage).expect("an image").replace('\n', " ")
}

/// All files of a folder with their contents and times.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut found: Vec<_> = entries
        .map(|entry| {
            let path = entry.path();
            let modified = entry.metadata().and_then(|it| it.modified()).expect("a time");
            (path.clone(), fs::read(&path).unwrap_or_default(), modified)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn each_kernel_has_one_patch_more_and_compiles_what_it_changed() {
    let Some(mut place) = Place::new("each_kernel_has_one_patch_more") else { return };
    let first = place.patch("A.patch", "a.c", "a2", "a-one");
    let second = place.patch("B.patch", "a.c", "a-one", "a-two");
    let third = place.patch("C.patch", "b.c", "b2", "b-three");
    let before = snapshot(&place.path("linux"));
    let built = place.build("linux", &[first, second, third]).expect("it builds");
    let labels: Vec<_> = built.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["base", "A", "B", "C"]);
    let images: Vec<_> = built.iter().map(image).collect();
    let expected = [
        "a1 a2 a3 b1 b2 b3 ",
        "a1 a-one a3 b1 b2 b3 ",
        "a1 a-two a3 b1 b2 b3 ",
        "a1 a-two a3 b1 b-three b3 ",
    ];
    assert_eq!(images, expected);
    assert_eq!(place.compiled(), "a.c b.c a.c a.c b.c ");
    assert_eq!(built[2].patches, ["A.patch", "B.patch"]);
    assert_eq!(built[3].release, "6.12.0-fake");
    assert_eq!(fs::read_to_string(&built[0].config).expect("a configuration"), OPTIONS);
    assert_eq!(snapshot(&place.path("linux")), before, "the source was changed");
}

#[test]
fn a_kernel_that_is_there_is_not_built_again() {
    let Some(mut place) = Place::new("a_kernel_that_is_there") else { return };
    let patch = place.patch("A.patch", "a.c", "a2", "a-one");
    let first = place.build("linux", std::slice::from_ref(&patch)).expect("it builds");
    let compiled = place.compiled();
    let second = place.build("linux", &[patch]).expect("it is there");
    assert_eq!(second, first);
    assert_eq!(place.said, ["base is there already", "A is there already"]);
    assert_eq!(place.compiled(), compiled);
    // The patch by itself is another series, on a base that is there.
    let other = place.patch("B.patch", "b.c", "b2", "b-two");
    let third = place.build("linux", &[other]).expect("it builds");
    assert_eq!(image(&third[1]), "a1 a2 a3 b1 b-two b3 ");
    assert_eq!(third[0], first[0]);
    let changed = place.patch("A.patch", "a.c", "a2", "a-other");
    let fourth = place.build("linux", &[changed]).expect("it builds");
    assert_eq!(image(&fourth[1]), "a1 a-other a3 b1 b2 b3 ");
}

#[test]
fn an_aid_is_in_every_kernel() {
    let Some(mut place) = Place::new("an_aid_is_in_every_kernel") else { return };
    let aid = place.patch("aid.patch", "b.c", "b2", "b-aid");
    let patch = place.patch("A.patch", "a.c", "a2", "a-one");
    let built = place.build_as("linux", &[patch], &[aid], OPTIONS).expect("it builds");
    assert_eq!(image(&built[0]), "a1 a2 a3 b1 b-aid b3 ");
    assert_eq!(image(&built[1]), "a1 a-one a3 b1 b-aid b3 ");
    assert_eq!(built[1].patches, ["aid.patch", "A.patch"]);
}

#[test]
fn a_patch_may_be_a_mail() {
    let Some(mut place) = Place::new("a_patch_may_be_a_mail") else { return };
    let patch = place.patch("A.patch", "a.c", "a2", "a-one");
    let diff = fs::read_to_string(patch).expect("written");
    let mail = place.write(
        "0001-a.patch",
        &format!(
            "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: Somebody <some@body>\n\
             ComparedKernel: [PATCH 1/2] a: one\n\nWhy.\n---\n a.c | 2 +-\n 1 file changed\n\n\
             diff --git a/a.c b/a.c\nindex 012..345 100644\n{diff}-- \n2.39.5\n\n"
        ),
    );
    let built = place.build("linux", &[mail]).expect("it builds");
    assert_eq!(built[1].label, "0001-a");
    assert_eq!(image(&built[1]), "a1 a-one a3 b1 b2 b3 ");
}

#[test]
fn a_series_of_which_one_patch_does_not_apply_is_refused_before_anything_is_built() {
    let Some(mut place) = Place::new("a_series_of_which_one_patch") else { return };
    let good = place.patch("A.patch", "a.c", "a2", "a-one");
    let bad = place.patch("B.patch", "a.c", "a2", "a-two");
    let error = place.build("linux", &[good.clone(), bad]).expect_err("it does not apply");
    let text = error.to_string();
    assert!(text.contains("B.patch: does not apply"), "{text}");
    assert!(text.contains("with A.patch: the hunk of a.c at line 1"), "{text}");
    assert!(text.contains("a.c: patch does not apply"), "what git said: {text}");
    assert!(!place.path("cache/kernels").exists());
    assert_eq!(place.compiled(), "");
    let text = place.write("notes.patch", "no patch\n");
    let error = place.build("linux", &[text]).expect_err("it is no patch").to_string();
    assert!(error.contains("is no patch"), "{error}");
    let elsewhere = place.patch("C.patch", "c.c", "c2", "c-one");
    let error = place.build("linux", &[elsewhere]).expect_err("no such file").to_string();
    assert!(error.contains("C.patch: does not apply"), "{error}");
    let built = place.build("linux", &[good]).expect("the cache is as good as before");
    assert_eq!(image(&built[1]), "a1 a-one a3 b1 b2 b3 ");
}

#[test]
fn files_that_patches_add_and_remove_come_and_go() {
    let Some(mut place) = Place::new("files_that_patches_add") else { return };
    let add = place.write("add.patch", "--- /dev/null\n+++ b/c.c\n@@ -0,0 +1 @@\n+c1\n");
    let remove = "--- a/b.c\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-b1\n-b2\n-b3\n";
    let remove = place.write("remove.patch", remove);
    place.build("linux", &[add]).expect("it builds");
    assert!(place.copy().join("c.c").exists());
    // Without b.c its object of before is all there is, and make takes that.
    place.build("linux", &[remove]).expect("it builds");
    assert!(!place.copy().join("c.c").exists());
    assert!(!place.copy().join("b.c").exists());
}

#[test]
fn an_option_that_the_source_drops_is_an_error_that_names_it() {
    let Some(mut place) = Place::new("an_option_that_the_source_drops") else { return };
    let options = format!("{OPTIONS}CONFIG_OF_A_LATER_RELEASE=y\n");
    let error = place.build_as("linux", &[], &[], &options).expect_err("it is dropped");
    let text = error.to_string();
    assert!(text.contains("CONFIG_OF_A_LATER_RELEASE (y wanted, n got)"), "{text}");
    assert_eq!(place.compiled(), "");
}

#[test]
fn a_build_that_fails_shows_its_last_lines_and_the_next_one_goes_on() {
    let Some(mut place) = Place::new("a_build_that_fails") else { return };
    place.write("linux/b.c", "broken\n");
    let error = place.build("linux", &[]).expect_err("b.c is broken");
    let text = error.to_string();
    assert!(text.starts_with("building base failed (exit code 2)"), "{text}");
    assert!(text.contains(".log:\n") && text.contains("Error 1"), "{text}");
    place.write("linux/b.c", "b1\n");
    let built = place.build("linux", &[]).expect("it builds");
    assert_eq!(image(&built[0]), "a1 a2 a3 b1 ");
    assert_eq!(place.compiled(), "a.c b.c b.c ", "a.c was built already");
}

#[test]
fn a_source_that_changed_is_built_again_as_far_as_it_changed() {
    let Some(mut place) = Place::new("a_source_that_changed") else { return };
    let patch = place.patch("A.patch", "a.c", "a2", "a-one");
    let first = place.build("linux", std::slice::from_ref(&patch)).expect("it builds");
    // Written again with the same text: another time, the same source.
    place.write("linux/a.c", "a1\na2\na3\n");
    assert_eq!(place.build("linux", std::slice::from_ref(&patch)).expect("it is there"), first);
    let is_copied = |said: &[String]| said.iter().any(|line| line.starts_with("copying"));
    assert!(!is_copied(&place.said), "{:?}", place.said);
    place.write("linux/b.c", "b1\nb9\n");
    let second = place.build("linux", &[patch]).expect("it builds");
    assert!(!is_copied(&place.said), "{:?}", place.said);
    assert_eq!(image(&second[0]), "a1 a2 a3 b1 b9 ");
    assert_eq!(image(&second[1]), "a1 a-one a3 b1 b9 ");
    assert!(place.compiled().starts_with("a.c b.c a.c a.c b.c a.c "), "{}", place.compiled());
}

#[test]
fn of_a_git_repository_only_the_source_counts() {
    let Some(mut place) = Place::new("of_a_git_repository") else { return };
    let linux = place.path("linux");
    let git = |arguments: &[&str]| {
        let status = Command::new("git").arg("-C").arg(&linux).args(arguments).status();
        assert!(status.expect("git starts").success());
    };
    git(&["init", "--quiet"]);
    place.write("linux/.gitignore", "*.o\n.config\n");
    git(&["add", "."]);
    place.write("linux/a.o", "left by a build inside the source\n");
    place.write("linux/.config", "likewise\n");
    let first = place.build("linux", &[]).expect("it builds");
    place.write("linux/a.o", "something else\n");
    assert_eq!(place.build("linux", &[]).expect("it is there"), first);
}

#[test]
fn a_tarball_is_unpacked_once() {
    let Some(mut place) = Place::new("a_tarball_is_unpacked_once") else { return };
    let mut tar = Command::new("tar");
    tar.current_dir(place.folder.path()).args(["-czf", "linux.tar.gz", "linux"]);
    assert!(tar.status().expect("tar starts").success());
    let patch = place.patch("A.patch", "a.c", "a2", "a-one");
    let built = place.build("linux.tar.gz", std::slice::from_ref(&patch)).expect("it builds");
    assert_eq!(image(&built[1]), "a1 a-one a3 b1 b2 b3 ");
    assert!(place.said[0].starts_with("unpacking "), "{:?}", place.said);
    let again = place.patch("B.patch", "b.c", "b2", "b-two");
    place.build("linux.tar.gz", &[again]).expect("it builds");
    assert!(!place.said.iter().any(|line| line.starts_with("unpacking")), "{:?}", place.said);
}

#[test]
fn a_folder_without_a_source_is_refused_with_advice() {
    let Some(mut place) = Place::new("what_is_no_source") else { return };
    let mut error = |source: &str| place.build(source, &[]).expect_err(source).to_string();
    assert!(error("absent").contains("neither a folder nor a tarball"));
    assert!(error(".").contains("holds the cache"));
    fs::create_dir(place.path("empty")).expect("a folder");
    let mut error = |source: &str| place.build(source, &[]).expect_err(source).to_string();
    assert!(error("empty").contains("it has no Makefile"));
    place.write("linux/.config", "CONFIG_A=y\n");
    let text = place.build("linux", &[]).expect_err("built inside").to_string();
    assert!(text.contains("make mrproper"), "{text}");
}

#[test]
fn a_patch_that_applies_at_other_lines_is_applied_and_reported() {
    let Some(mut place) = Place::new("a_patch_that_applies_at_other_lines") else { return };
    place.write("linux/a.c", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let hunk = "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
    let patch = place.write("A.patch", &format!("--- a/a.c\n+++ b/a.c\n{hunk}"));
    let built = place.build("linux", &[patch]).expect("it builds");
    assert_eq!(image(&built[1]), "0 1 2 3 4 five 6 7 8 9 b1 b2 b3 ");
    let expected = "A.patch: a.c: Hunk #1 succeeded at 3 (offset 1 line).";
    assert!(place.said.iter().any(|line| line.ends_with(expected)), "{:?}", place.said);
}

/// Whatever a source says to git, and whatever its files are called.
#[test]
fn a_source_is_taken_byte_for_byte_with_its_links_and_modes() {
    let Some(mut place) = Place::new("a_source_is_taken_byte_for_byte") else { return };
    place.write("linux/.gitattributes", "* text=auto eol=crlf ident filter=lfs export-subst\n");
    place.write("linux/sub/.gitignore", "*\n");
    let odd = place.write("linux/sub/odd \n\"\u{e9}\\ name", "$Id$ $Format:%H$\r\nb\n");
    let script = place.write("linux/scripts/run.sh", "exit 0\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    symlink("../absent", place.path("linux/sub/link")).expect("a link");
    place.build("linux", &[]).expect("it builds");
    let copy =
        |path: &Path| place.copy().join(path.strip_prefix(place.path("linux")).expect("in it"));
    assert_eq!(fs::read(copy(&odd)).expect("a file"), fs::read(&odd).expect("a file"));
    assert!(place.copy().join("sub/.gitignore").is_file());
    let mode = fs::metadata(copy(&script)).expect("a file").permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
    assert_eq!(
        fs::read_link(place.copy().join("sub/link")).expect("a link"),
        Path::new("../absent")
    );
}

#[test]
fn the_next_build_removes_what_a_killed_one_left() {
    let Some(mut place) = Place::new("what_a_killed_build_left") else { return };
    place.build("linux", &[]).expect("it builds");
    let locks = ["index.build.lock", "index.series.lock", "index.source.lock"];
    for name in locks {
        fs::write(place.of_source("git").join(name), "").expect("written");
    }
    fs::write(place.copy().join("c.c"), "of a patch\n").expect("written");
    fs::write(place.copy().join("a.c"), "half of a patch\n").expect("written");
    let patch = place.patch("A.patch", "b.c", "b2", "b-one");
    let built = place.build("linux", &[patch]).expect("it builds");
    assert_eq!(image(&built[1]), "a1 a2 a3 b1 b-one b3 ");
    assert!(!place.copy().join("c.c").exists());
    assert!(!locks.iter().any(|name| place.of_source("git").join(name).exists()));
}

#[test]
fn files_that_a_source_loses_are_gone_from_its_copy() {
    let Some(mut place) = Place::new("files_that_a_source_loses") else { return };
    place.write("linux/x", "a file\n");
    place.write("linux/y/z", "a file in a folder\n");
    place.build("linux", &[]).expect("it builds");
    fs::remove_file(place.path("linux/x")).expect("removed");
    fs::remove_dir_all(place.path("linux/y")).expect("removed");
    place.write("linux/x/now", "a folder\n");
    place.write("linux/y", "now a file\n");
    place.write("linux/b.c", "b1\n");
    let built = place.build("linux", &[]).expect("it builds");
    assert_eq!(image(&built[0]), "a1 a2 a3 b1 ");
    assert!(place.copy().join("x/now").is_file() && place.copy().join("y").is_file());
}

#[test]
fn two_builds_do_not_share_a_cache() {
    let Some(mut place) = Place::new("two_builds_do_not_share_a_cache") else { return };
    let cache = super::files::make_folder(&place.path("cache")).expect("a folder");
    let lock = super::Lock::of(&cache).expect("the lock is free");
    assert!(
        matches!(place.build("linux", &[]), Err(error) if matches!(error.downcast_ref(), Some(BuildError::Busy(_))))
    );
    drop(lock);
    assert!(place.build("linux", &[]).is_ok());
}
