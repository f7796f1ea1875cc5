//! Files: where they are, how they begin, how long they get, and what they may not hold.

use std::path::Path;

use super::{
    none,
    source::code,
    tree::{File, file, files},
};

/// More than one idea, or one that is not yet understood.
const LINES_MAX: usize = 500;
/// The switchboard is to be seen at one glance.
const SWITCHBOARD_LINES_MAX: usize = 100;
/// Kept by clippy, which counts better than a text search can.
const FUNCTION_LINES_MAX: usize = 70;

const SWITCHBOARD: &str = "xtask/src/main.rs";
const MEMBERS: [&str; 11] = [
    "ebpf",
    "harness",
    "harness/cli",
    "harness/contract",
    "harness/kernels",
    "harness/pool",
    "harness/trace",
    "reports",
    "reports/sample",
    "workloads",
    "xtask",
];
/// Folders of a member that hold code; a build script may stand beside them.
const FOLDERS: [&str; 5] = ["src", "tests", "benches", "examples", "fuzz/src"];

/// A rule about single files: what is wrong with one, if anything.
type Rule = fn(&File) -> Option<String>;

const RULES: [Rule; 6] =
    [says_what_it_is, is_short, is_in_a_member, has_no_abi, has_no_path, obeys];

fn says_what_it_is(file: &File) -> Option<String> {
    let first = file.text()?.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//!").map(str::trim).unwrap_or_default();
    if !file.is_rust() {
        return None;
    }
    if sentence.len() < 10 {
        return Some("does not begin with a `//!` line that says what it is".to_owned());
    }
    let unfinished = ["TODO", "FIXME", "To be written"].iter().find(|word| first.contains(**word));
    unfinished.map(|word| format!("has {word} in its first line"))
}

fn is_short(file: &File) -> Option<String> {
    let max = if file.path == SWITCHBOARD { SWITCHBOARD_LINES_MAX } else { LINES_MAX };
    let lines = file.text()?.lines().count();
    (file.is_rust() && lines > max).then(|| format!("has {lines} lines; {max} are allowed"))
}

fn is_in_a_member(file: &File) -> Option<String> {
    let inside = |member: &&str| {
        let rest = Path::new(&file.path).strip_prefix(member).ok();
        rest.is_some_and(|rest| {
            rest == Path::new("build.rs") || FOLDERS.iter().any(|folder| rest.starts_with(folder))
        })
    };
    (file.is_rust() && !MEMBERS.iter().any(inside))
        .then(|| format!("is Rust outside the packages {}", MEMBERS.join(", ")))
}

/// A struct that crosses to the kernel is declared once, for both sides.
fn has_no_abi(file: &File) -> Option<String> {
    // Those of asynchronous I/O are the kernel's, for which no crate has them.
    let shared = file.path.starts_with("ebpf/src/") || file.path == "harness/src/engine/begun.rs";
    let attribute = concat!("repr", "(C");
    let found = code(file.text()?).into_iter().find(|(_, line)| line.contains(attribute));
    let (number, _) = found.filter(|_| file.is_rust() && !shared)?;
    Some(format!("has {attribute}) in line {number}; the ABI is declared in ebpf/src"))
}

/// A path of a developer's machine. Binary files are searched too: debug information keeps paths.
fn has_no_path(file: &File) -> Option<String> {
    let roots = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];
    // After these the path goes on from something else, such as an address or a variable.
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.~})*".contains(byte);
    let found = roots.iter().find(|root| {
        let at = file.bytes.windows(root.len()).enumerate();
        let mut at = at.filter(|(_, bytes)| *bytes == root.as_bytes()).map(|(at, _)| at);
        at.any(|at| at == 0 || !goes_on(&file.bytes[at - 1]))
    });
    found.map(|root| format!("names a path of some machine, under {root}"))
}

/// Lints are obeyed, or a single place says why not.
fn obeys(file: &File) -> Option<String> {
    let attribute = concat!("al", "low(");
    let found = code(file.text()?).into_iter().find(|(_, line)| {
        let line = line.trim_start();
        (line.starts_with("#[") || line.starts_with("#![")) && line.contains(attribute)
    });
    let (number, _) = found.filter(|_| file.is_rust())?;
    Some(format!("has {attribute}…) in line {number}; write #[expect(…, reason = \"…\")]"))
}

fn complaints(files: &[File]) -> Vec<String> {
    let of = |file: &File| {
        let wrong = RULES.iter().filter_map(|rule| rule(file));
        wrong.map(|wrong| format!("{} {wrong}", file.path)).collect::<Vec<_>>()
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn every_file_is_in_its_place_says_what_it_is_and_stays_short() -> std::io::Result<()> {
    none(&complaints(&files()?));
    Ok(())
}

#[test]
fn clippy_counts_the_lines_of_functions_in_every_package() -> std::io::Result<()> {
    let setting = file("clippy.toml")?.unwrap_or_default();
    let expected = format!("too-many-lines-threshold = {FUNCTION_LINES_MAX}");
    assert!(setting.lines().any(|line| line == expected), "clippy.toml lacks `{expected}`");
    let workspace = file("Cargo.toml")?.unwrap_or_default();
    assert!(workspace.contains("\ntoo_many_lines = \"warn\"\n"), "the lint is off");
    for member in MEMBERS {
        let manifest = file(&format!("{member}/Cargo.toml"))?.unwrap_or_default();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member} has lints of its own");
        assert!(workspace.contains(&format!("\"{member}\"")), "{member} is no member");
    }
    Ok(())
}

fn wrong(path: &str, text: &str) -> String {
    complaints(&[File::example(path, text)]).join("; ")
}

#[test]
fn a_good_file_has_nothing_wrong() {
    assert_eq!(wrong("harness/src/x.rs", "//! Says what it is.\n"), "");
    assert_eq!(wrong("harness/build.rs", "//! Says what it is.\n"), "");
    assert_eq!(wrong("ebpf/src/lib.rs", concat!("//! The shared ABI.\n#[repr", "(C)]\n")), "");
    assert_eq!(wrong("README.md", "See example.org/home/ and $HOME/src/."), "");
}

#[test]
fn each_rule_finds_what_it_is_there_for() {
    let line = "//! Says what it is.\n";
    let cases = [
        ("harness/src/x.rs", "fn f() {}".to_owned(), "does not begin"),
        ("harness/src/x.rs", "//! x".to_owned(), "does not begin"),
        ("harness/src/x.rs", "//! TODO: say what it is".to_owned(), "TODO"),
        ("harness/src/x.rs", line.repeat(LINES_MAX + 1), "501 lines"),
        (SWITCHBOARD, line.repeat(SWITCHBOARD_LINES_MAX + 1), "101 lines"),
        ("scripts/x.rs", line.to_owned(), "outside the packages"),
        ("harness/x.rs", line.to_owned(), "outside the packages"),
        ("harness/src/x.rs", format!("{line}#[repr{}C)]", '('), "ABI"),
        ("harness/src/x.rs", format!("{line}#[{}(dead_code)]", "allow"), "expect"),
        ("README.md", format!("cd /{}/me", "home"), "names a path"),
        ("ebpf/probes.o", format!("\u{0}/{}/x.rs\u{0}", "root"), "names a path"),
    ];
    for (path, text, expected) in cases {
        let found = wrong(path, &text);
        assert!(found.contains(expected), "{path}: {found:?} lacks {expected:?}");
    }
}
