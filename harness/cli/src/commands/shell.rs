//! `completions` and `man`: what shells and `man` know of the commands, from their flags.

use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use iowq_contract::{NewFolders, write_together};

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
    let name = command.get_name().to_owned();
    let pages = command.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| {
        let page = format!("{name}-{}", one.get_name());
        (page.clone(), one.clone().name(page))
    });
    let mut texts = Vec::new();
    for (name, command) in pages.chain([(name.clone(), command.clone())]) {
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        texts.push((out.join(name + ".1"), text));
    }
    let _folders = NewFolders::make(out)
        .with_context(|| format!("--out {}: cannot be made", out.display()))?;
    let files: Vec<(&Path, &[u8])> = texts.iter().map(|(path, text)| (&**path, &**text)).collect();
    write_together(&files).map_err(|(path, error)| {
        anyhow::Error::new(error).context(format!("{}: cannot be written", path.display()))
    })?;
    for (path, _) in &texts {
        print(&format!("man      {}\n", path.display()))?;
    }
    Ok(Exit::Fine)
}
