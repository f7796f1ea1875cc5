//! Cycles: no two files of a crate import each other, nor do two folders beside each other.
//!
//! A file imports another if it names a path into it. A path is followed through `pub use`, so that
//! the root of a module may name the items of its files without being imported by them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    none,
    source::{code, imports},
    tree::{File, files},
};

/// Modules of a crate by their paths, such as `["pool", "worker"]`; the root is empty.
type Modules<'a> = BTreeMap<Vec<String>, Module<'a>>;

/// What leads from one file to others.
struct Module<'a> {
    file: &'a str,
    /// Paths that it names, in full.
    paths: Vec<Vec<String>>,
    /// What it names for others by `pub use`: the name, and where it is from.
    exports: BTreeMap<String, Vec<String>>,
}

fn complaints(files: &[File]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        if let Some((name, _)) = file.path.split_once("/src/") {
            crates.entry(name).or_default().push(file);
        }
    }
    let of = |(name, files): (&str, Vec<&File>)| {
        let modules = modules(name, &files);
        let edges = edges(&modules);
        let mut found = Vec::new();
        for (kind, edges) in [("files", by_file(&modules, &edges)), ("folders", by_folder(&edges))]
        {
            let cycles = cycles(&edges).into_iter();
            found
                .extend(cycles.map(|cycle| {
                    format!("{name}: {kind} import each other: {}", cycle.join(", "))
                }));
        }
        found
    };
    crates.into_iter().flat_map(of).collect()
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(|part| part.trim().to_owned()).collect()
}

/// The modules of a crate. Tests in files of their own are omitted, as are binaries beside a library.
fn modules<'a>(name: &str, files: &[&'a File]) -> Modules<'a> {
    let mut places = BTreeMap::new();
    for file in files {
        let inside = file.path[name.len() + "/src/".len()..].trim_end_matches(".rs");
        let mut at: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if at.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            at.pop();
        }
        if at.first().is_none_or(|first| first != "bin")
            && at.last().is_none_or(|last| last != "tests")
        {
            places.entry(at).or_insert(*file);
        }
    }
    let module = |(at, file): (&Vec<String>, &&'a File)| {
        let code = code(file.text().unwrap_or_default());
        let mut module = Module { file: &file.path, paths: Vec::new(), exports: BTreeMap::new() };
        for (number, path) in imports(&code) {
            let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
            let Some(path) = absolute(at, &segments(path), &places) else { continue };
            let line = code.iter().find(|(at, _)| *at == number).map_or("", |(_, line)| line);
            let name = if alias.is_empty() { path.last().cloned() } else { Some(alias.to_owned()) };
            match name {
                Some(name) if line.trim_start().starts_with("pub") => {
                    module.exports.insert(name, path);
                }
                _ => module.paths.push(path),
            }
        }
        for (_, line) in code.iter().filter(|(_, line)| !line.contains("use ")) {
            let found = inline(line).into_iter().filter_map(|path| absolute(at, &path, &places));
            module.paths.extend(found);
        }
        (at.clone(), module)
    };
    places.iter().map(module).collect()
}

/// The paths in a line that begin with `crate` or `super`.
fn inline(line: &str) -> Vec<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in line.match_indices(start) {
            if line[..at].ends_with(|c: char| word(c) || c == ':') {
                continue;
            }
            let end =
                line[at..].find(|c: char| !word(c) && c != ':').map_or(line.len(), |end| at + end);
            found.push(segments(line[at..end].trim_end_matches(':')));
        }
    }
    found
}

/// A path from the root of the crate; none if it leads to another crate.
fn absolute<T>(
    at: &[String],
    path: &[String],
    places: &BTreeMap<Vec<String>, T>,
) -> Option<Vec<String>> {
    let mut from = at.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => (from, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                from.pop();
                rest = &rest[1..];
            }
        }
        first => {
            from.push(first.to_owned());
            let child = places.contains_key(&from);
            from.pop();
            if !child {
                return None;
            }
        }
    }
    from.extend(rest.iter().filter(|part| *part != "self").cloned());
    Some(from)
}

/// The module that a path leads to, through what others export.
fn target(modules: &Modules<'_>, path: &[String], depth: usize) -> Option<Vec<String>> {
    let longest = (0..=path.len()).rev().find(|end| modules.contains_key(&path[..*end]))?;
    let module = &modules[&path[..longest]];
    match path.get(longest).and_then(|name| module.exports.get(name)) {
        Some(from) if depth > 0 => {
            let further: Vec<String> = from.iter().chain(&path[longest + 1..]).cloned().collect();
            target(modules, &further, depth - 1)
        }
        _ => Some(path[..longest].to_vec()),
    }
}

type Edges = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

fn edges(modules: &Modules<'_>) -> Edges {
    let of = |module: &Module<'_>| {
        module.paths.iter().filter_map(|path| target(modules, path, 8)).collect()
    };
    modules.iter().map(|(at, module)| (at.clone(), of(module))).collect()
}

fn by_file(modules: &Modules<'_>, edges: &Edges) -> BTreeMap<String, BTreeSet<String>> {
    let name = |at: &Vec<String>| modules[at].file.to_owned();
    let of = |(at, to): (&Vec<String>, &BTreeSet<Vec<String>>)| {
        (name(at), to.iter().filter(|to| *to != at).map(name).collect())
    };
    edges.iter().map(of).collect()
}

/// The same between modules beside each other, each with all that is below it.
fn by_folder(edges: &Edges) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, all) in edges {
        for to in all {
            let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            if let (Some(_), Some(_)) = (from.get(common), to.get(common)) {
                let name = |at: &[String]| at[..=common].join("::");
                found.entry(name(from)).or_default().insert(name(to));
            }
        }
    }
    found
}

/// Sets of names that lead to each other, each once.
fn cycles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |start: &String| {
        let mut seen = BTreeSet::new();
        let mut next = vec![start];
        while let Some(at) = next.pop() {
            for to in edges.get(at).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to);
                }
            }
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<String>> =
        edges.keys().map(|name| (name, reached(name))).collect();
    let mut found = BTreeSet::new();
    for (name, reaches) in all.iter().filter(|(name, reaches)| reaches.contains(**name)) {
        let back = |other: &&String| all.get(other).is_some_and(|back| back.contains(*name));
        found.insert(reaches.iter().filter(back).cloned().collect::<Vec<String>>());
    }
    found.into_iter().collect()
}

#[test]
fn no_files_and_no_folders_import_each_other() -> std::io::Result<()> {
    none(&complaints(&files()?));
    Ok(())
}

fn found(all: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> =
        all.iter().map(|(path, text)| File::example(&format!("x/src/{path}.rs"), text)).collect();
    complaints(&files)
}

#[test]
fn files_that_import_each_other_are_found_in_any_spelling() {
    for back in
        ["use super::a::A;", "use crate::a::A;", "fn f() { super::a::f() }", "use crate::{a};"]
    {
        let found = found(&[("lib", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", back)]);
        assert!(
            found.iter().any(|one| one.contains("x/src/a.rs, x/src/b.rs")),
            "{back}: {found:?}"
        );
    }
    let root = [("lib", "mod a;\nuse a::f;\nconst C: u8 = 1;"), ("a", "use crate::C;")];
    assert_eq!(found(&root).len(), 1, "a root with items of its own");
}

#[test]
fn folders_that_import_each_other_are_found_though_no_files_do() {
    let all = [
        ("a", "mod c;"),
        ("a/c", "use crate::b::d::D;"),
        ("a/e", ""),
        ("b", "mod d;"),
        ("b/f", "use crate::a::e::E;"),
        ("b/d", ""),
    ];
    assert_eq!(found(&all), ["x: folders import each other: a, b"]);
}

#[test]
fn what_a_root_exports_and_what_tests_import_are_no_cycles() {
    let all = [
        ("lib", "pub mod a;\npub mod b;\npub use a::A;"),
        ("a", "use crate::b::B;"),
        ("b", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
        ("c", "use crate::A;"),
    ];
    assert_eq!(found(&all), [""; 0]);
}
