//! Source: Rust text as the rules need it, without comments and tests, with imports spelled out.

/// The code of a file, line by line with numbers from 1: comments become empty, and it ends where
/// the file's own tests begin, because a test may go through any door.
pub(crate) fn code(text: &str) -> Vec<(usize, &str)> {
    let mut lines = text.lines().zip(1..).peekable();
    let mut code = Vec::new();
    while let Some((line, number)) = lines.next() {
        // `mod tests;` puts them in another file, and this one goes on.
        let begins = |next: &str| next.starts_with("mod ") && next.contains('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|(next, _)| begins(next)) {
            break;
        }
        code.push((number, without_comment(line)));
    }
    code
}

/// Cuts a line at its comment. A `//` inside a string is cut as well, if a space is before it.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split_once(" //").map_or(line, |(code, _)| code)
}

/// Every path that the `use` declarations name, with groups taken apart, and its line.
pub(crate) fn imports(code: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut lines = code.iter();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        let Some(at) = line.find("use ").filter(|at| is_visibility(&line[..*at])) else { continue };
        let mut declaration = line[at + "use ".len()..].to_owned();
        while !declaration.contains(';') {
            let Some((_, more)) = lines.next() else { break };
            declaration += more.trim();
        }
        let tree = declaration.split(';').next().unwrap_or_default();
        expand("", tree, &mut |path| paths.push((*number, path)));
    }
    paths
}

fn is_visibility(text: &str) -> bool {
    text.is_empty() || text == "pub " || (text.starts_with("pub(") && text.ends_with(") "))
}

/// Calls `found` with each path of a tree such as `std::{fs, sync::Arc}`.
fn expand(prefix: &str, tree: &str, found: &mut impl FnMut(String)) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        if !tree.is_empty() {
            found(format!("{prefix}{tree}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let inside = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(&prefix, &inside[start..at], found);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inside[start..], found);
}

/// Whether a word occurs in a text as a word of its own.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[test]
fn comments_and_tests_are_no_code() {
    let text = "//! std::sync\nlet a = 1; // std::thread\n#[cfg(test)]\nmod tests { std::sync }\n";
    assert_eq!(code(text), [(1, ""), (2, "let a = 1;")]);
    assert_eq!(code("#[cfg(test)]\nmod tests;\nfn f() {}\n").len(), 3);
}

#[test]
fn groups_of_imports_are_taken_apart() {
    let text = "use std::{\n    fs,\n    sync::{Arc, atomic::{self, AtomicU64}},\n};\n\
                pub(crate) use libc;\nlet reuse = 1;\n";
    let paths: Vec<_> = imports(&code(text)).into_iter().map(|(_, path)| path).collect();
    let expected = [
        "std::fs",
        "std::sync::Arc",
        "std::sync::atomic::self",
        "std::sync::atomic::AtomicU64",
        "libc",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_word_is_not_a_part_of_another() {
    assert!(has_word("the `idle` state", "idle"));
    assert!(!has_word("idle_since, idles", "idle"));
}
