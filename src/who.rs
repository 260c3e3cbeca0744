//! Who runs the command, in words, for those who look later why a run was paused.

use std::{env, fs};

/// A user and a machine, as far as the environment tells.
pub(crate) fn am_i() -> String {
    let of = |names: &[&str]| names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let user = of(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let file = || fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    match of(&["HOSTNAME", "COMPUTERNAME"]).or_else(file).filter(|name| !name.is_empty()) {
        Some(machine) => format!("{user}@{machine}"),
        None => user,
    }
}
