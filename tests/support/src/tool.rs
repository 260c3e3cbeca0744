//! Runs a stock command line tool over a script.

use std::io::{self, Seek, Write};
use std::process::{Command, Stdio};

/// Runs `command` with `script` as its standard input and gives its standard output without the last newline;
/// a failing exit gives its standard error.
///
/// `package` is the Debian package that holds the tool.
///
/// # Panics
/// If the tool cannot be started.
pub(crate) fn run(mut command: Command, script: &str, package: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    // A file, not a pipe: the tool may answer before it has read everything, and nobody would drain its output.
    let input = script_file(script).unwrap_or_else(|error| panic!("cannot write a script for {name}: {error}"));
    let output = match command.stdin(input).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => panic!("{name} is missing; {}", install(package)),
        Err(error) => panic!("cannot run {name}: {error}"),
    };
    if !output.status.success() {
        return Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// The line that installs `package`, for a message.
pub(crate) fn install(package: &str) -> String {
    format!("run: apt-get install {package}")
}

fn script_file(script: &str) -> io::Result<Stdio> {
    let mut file = tempfile::tempfile()?;
    file.write_all(script.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}
