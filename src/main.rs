//! The door: the `mig` command. It reads files and arguments, asks the compiler and the executor, and prints what they say.

mod artifacts;
mod audit;
mod cli;
mod commands;
mod crash;
mod engines;
mod exit;
mod files;
mod finding;
mod internal;
mod junit;
mod operate;
mod pages;
mod plan_file;
mod project;
#[cfg(test)]
mod published;
mod rejected;
mod rendering;
mod scan;
mod signatures;
mod spec_files;
mod target;
mod terminal;
mod watch;
mod who;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, exit::Trouble};

fn main() -> ExitCode {
    internal::report_panics();
    // The only way this fails is that a provider is set already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let result = match Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) if error.use_stderr() => {
            terminal::complain(&error.render().ansi().to_string());
            return ExitCode::from(exit::USAGE);
        }
        Err(help) => {
            terminal::say_raw(&help.render().ansi().to_string());
            return ExitCode::SUCCESS;
        }
    };
    if let Err(trouble) = &result {
        trouble.show();
    }
    ExitCode::from(exit::code(&result.map_err(Trouble::kind)))
}
