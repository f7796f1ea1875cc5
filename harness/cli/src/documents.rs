//! The documents: every command and every flag that they name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use crate::cli::Cli;

/// Tasks of the workspace, which `cargo xtask` has beside the commands of `iowq`.
const TASKS: [&str; 3] = ["ci", "fuzz", "probes"];

/// The commands after `cargo xtask` or `iowq` in the shell blocks and code spans of a text, each with
/// the rest of its line.
fn commands(text: &str) -> Vec<(&str, &str)> {
    let mut block = None;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_none() { Some(language) } else { None };
        } else if block == Some("sh") {
            let line = line.trim_start().trim_start_matches("$ ");
            found.extend(command(line.strip_prefix("sudo ").unwrap_or(line)));
        } else if block.is_none() {
            // Every second part lies between backticks.
            found.extend(line.split('`').skip(1).step_by(2).filter_map(command));
        }
    }
    found
}

fn command(code: &str) -> Option<(&str, &str)> {
    let rest = code.strip_prefix("cargo xtask ").or_else(|| code.strip_prefix("iowq "))?;
    let rest = rest.split(" #").next().unwrap_or(rest);
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

fn complaints(path: &Path, text: &str) -> Vec<String> {
    let mut program = Cli::command();
    program.build();
    let path = path.display();
    let mut complaints = BTreeSet::new();
    for (name, rest) in commands(text) {
        // In capitals it stands for any.
        if TASKS.contains(&name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            continue;
        }
        let Some(command) = program.find_subcommand(name) else {
            complaints.insert(format!("{path} has the command {name}, which does not exist"));
            continue;
        };
        let flags: BTreeSet<&str> =
            command.get_arguments().filter_map(|it| it.get_long()).collect();
        let named = rest.split(|c: char| c.is_whitespace() || "[]|=,".contains(c));
        for flag in named.filter_map(|word| word.strip_prefix("--")).filter(|flag| !flag.is_empty())
        {
            if !flags.contains(flag) {
                complaints.insert(format!("{path} has {name} --{flag}, which does not exist"));
            }
        }
    }
    complaints.into_iter().collect()
}

/// Markdown files of the folders that documents are in, but for what tells of the past.
fn documents() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents = Vec::new();
    for folder in [top.clone(), top.join("docs"), top.join("workloads"), top.join("harness/pool")] {
        let entries = fs::read_dir(folder).expect("a folder of the workspace").flatten();
        let paths = entries.map(|entry| entry.path());
        let is_document = |path: &PathBuf| {
            path.extension().is_some_and(|it| it == "md") && !path.ends_with("CHANGELOG.md")
        };
        documents.extend(paths.filter(is_document));
    }
    documents
}

#[test]
fn the_commands_and_flags_that_documents_name_exist() {
    let mut found = Vec::new();
    for path in documents() {
        found.extend(complaints(&path, &fs::read_to_string(&path).expect("a document")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_command_or_a_flag_that_does_not_exist_is_found() {
    let of = |text: &str| complaints(Path::new("README.md"), text).len();
    assert_eq!(of("```sh\ncargo xtask bnech\n```"), 1);
    assert_eq!(of("```sh\n$ sudo cargo xtask bench --quick --qiuck # --no\n```"), 1);
    assert_eq!(of("Say `iowq compare --treshold 3`, or `cargo xtask ci --only fmt`."), 1);
    assert_eq!(of("cargo xtask nothing\n```\ncargo xtask output\n```\nSay `ls`.\n"), 0);
}
