//! The README: every command in it exists, and is spelled as it is there.

use std::{collections::BTreeSet, process::Command};

use super::{none, tree::file};

/// The names after `cargo xtask` in the shell blocks of a text.
fn commands(text: &str) -> BTreeSet<&str> {
    let mut in_block = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block && line == "```sh";
        } else if in_block {
            let line = line.trim_start().trim_start_matches("$ ");
            let rest = line.strip_prefix("sudo ").unwrap_or(line).strip_prefix("cargo xtask");
            names.extend(rest.map(|rest| rest.split_whitespace().next().unwrap_or_default()));
        }
    }
    names
}

fn complaints(text: &str) -> std::io::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for name in commands(text) {
        let help = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["help", name]).output()?;
        if name.is_empty() || !help.status.success() {
            complaints.push(format!("README.md has `cargo xtask {name}`, which does not exist"));
        }
    }
    Ok(complaints)
}

#[test]
fn the_commands_of_the_readme_exist() -> std::io::Result<()> {
    none(&complaints(&file("README.md")?.unwrap_or_default())?);
    Ok(())
}

#[test]
fn only_shell_blocks_hold_commands() {
    let text = "cargo xtask nothing\n```sh\ncargo xtask bench --quick\n$ sudo cargo xtask doctor\n\
                ls\n```\n```\ncargo xtask output\n```\n";
    assert_eq!(commands(text), BTreeSet::from(["bench", "doctor"]));
}

#[test]
fn a_command_that_does_not_exist_is_found() -> std::io::Result<()> {
    assert_eq!(complaints("```sh\ncargo xtask bnech\n```")?.len(), 1);
    none(&complaints("```sh\ncargo xtask bench\n```")?);
    Ok(())
}
