//! `promote completions` and `promote man`: shell completions and man pages, generated from the arguments.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;
use super::printer::print;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to complete commands in
    shell: Shell,
}

/// Write a man page for each command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write the pages to; it is created if it does not exist
    dir: PathBuf,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> Result<Exit> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "promote", &mut text);
        print(&String::from_utf8(text)?)?;
        Ok(Exit::Done)
    }
}

impl Man {
    pub(super) fn run(&self, mut command: Command) -> Result<Exit> {
        fs::create_dir_all(&self.dir).with_context(|| format!("creating {}", self.dir.display()))?;
        command.build();
        write_pages(&command, "promote", &self.dir)?;
        Ok(Exit::Done)
    }
}

/// Writes the page of a command, and those of its subcommands: `promote-full.1`.
fn write_pages(command: &Command, name: &str, dir: &Path) -> Result<()> {
    let path = dir.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned())).render(&mut page)?;
    fs::write(&path, page).with_context(|| format!("writing {}", path.display()))?;
    let subcommands = command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help");
    for subcommand in subcommands {
        write_pages(subcommand, &format!("{name}-{}", subcommand.get_name()), dir)?;
    }
    Ok(())
}
