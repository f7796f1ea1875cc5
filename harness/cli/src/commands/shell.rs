//! `completions` and `man`: what shells and `man` know of the commands, from their flags.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::Exit;
use crate::print::print;

/// Prints what completes commands and flags in a shell.
pub(crate) fn completions(mut command: Command, shell: Shell) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut text);
    print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Fine)
}

/// Writes a man page for the program and for each command.
pub(crate) fn man(mut command: Command, out: &Path) -> anyhow::Result<Exit> {
    command.build();
    fs::create_dir_all(out).with_context(|| format!("--out {}: cannot be made", out.display()))?;
    let name = command.get_name().to_owned();
    let pages = command.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| {
        let page = format!("{name}-{}", one.get_name());
        (page.clone(), one.clone().name(page))
    });
    let pages: Vec<_> = pages.chain([(name.clone(), command.clone())]).collect();
    for (name, command) in pages {
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        let path = out.join(name + ".1");
        fs::write(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        print(&format!("man      {}\n", path.display()))?;
    }
    Ok(Exit::Fine)
}
