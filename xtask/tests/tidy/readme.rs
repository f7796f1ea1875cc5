//! The documents: every command in them exists, and every file that they link to.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{
    none,
    tree::{File, files, top},
};

/// The names after `cargo xtask` in the shell blocks and code spans of a text.
fn commands(text: &str) -> BTreeSet<&str> {
    let mut block = None;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_none() { Some(language) } else { None };
        } else if block == Some("sh") {
            let line = line.trim_start().trim_start_matches("$ ");
            names.extend(command(line.strip_prefix("sudo ").unwrap_or(line)));
        } else if block.is_none() {
            // Every second part lies between backticks.
            names.extend(line.split('`').skip(1).step_by(2).filter_map(command));
        }
    }
    names
}

fn command(code: &str) -> Option<&str> {
    let rest = code.strip_prefix("cargo xtask")?;
    Some(rest.split_whitespace().next().unwrap_or_default())
}

/// The files of this tree that a text links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let targets = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

fn complaints(path: &str, text: &str) -> std::io::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for name in commands(text) {
        let help = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["help", name]).output()?;
        if name.is_empty() || !help.status.success() {
            complaints.push(format!("{path} has `cargo xtask {name}`, which does not exist"));
        }
    }
    let folder = top().join(Path::new(path).parent().unwrap_or(Path::new("")));
    let missing = links(text).filter(|target| !folder.join(target).exists());
    complaints
        .extend(missing.map(|target| format!("{path} links to {target}, which is not there")));
    Ok(complaints)
}

fn is_document(file: &File) -> bool {
    file.path.ends_with(".md")
}

#[test]
fn the_commands_and_the_files_that_documents_name_exist() -> std::io::Result<()> {
    let mut found = Vec::new();
    for document in files()?.iter().filter(|file| is_document(file)) {
        found.extend(complaints(&document.path, document.text().unwrap_or_default())?);
    }
    none(&found);
    Ok(())
}

#[test]
fn commands_are_found_in_shell_blocks_and_in_code_spans() {
    let text = "cargo xtask nothing\n```sh\ncargo xtask bench --quick\n$ sudo cargo xtask doctor\n\
                ls\n```\n```\ncargo xtask output\n```\nSay `cargo xtask ci`, or `ls`.\n";
    assert_eq!(commands(text), BTreeSet::from(["bench", "ci", "doctor"]));
}

#[test]
fn a_command_that_does_not_exist_is_found() -> std::io::Result<()> {
    assert_eq!(complaints("README.md", "```sh\ncargo xtask bnech\n```")?.len(), 1);
    none(&complaints("README.md", "```sh\ncargo xtask bench\n```")?);
    Ok(())
}

#[test]
fn a_link_to_a_file_that_is_not_there_is_found() -> std::io::Result<()> {
    assert_eq!(complaints("docs/x.md", "[a](../README.mdx) [b](#c) [d](../README.md#e)")?.len(), 1);
    none(&complaints("README.md", "[a](docs) [b](scheme://x)")?);
    Ok(())
}
