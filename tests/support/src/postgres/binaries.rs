//! Finds the server's programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tool;

/// Where Debian keeps one directory for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The directory of `initdb`, `pg_ctl`, `psql` and `pg_dump`: `$MIG_PG_BIN`, else Debian's newest, else from `PATH`.
///
/// # Panics
/// If there is none, with the line that installs it.
pub(super) fn directory() -> PathBuf {
    if let Some(chosen) = env::var_os("MIG_PG_BIN").filter(|value| !value.is_empty()) {
        let chosen = PathBuf::from(chosen);
        assert!(is_server(&chosen), "MIG_PG_BIN={} holds no initdb", chosen.display());
        return chosen;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = newest(Path::new(DEBIAN)).or_else(|| env::split_paths(&path).find(|dir| is_server(dir)));
    found.unwrap_or_else(|| panic!("no PostgreSQL server is installed; {}", tool::install("postgresql")))
}

fn newest(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let complete = versions.filter(|version| is_server(&root.join(format!("{version}/bin"))));
    complete.max().map(|version| root.join(format!("{version}/bin")))
}

/// Does the directory hold a server? The client packages fill Debian's directories too, without `initdb`.
fn is_server(dir: &Path) -> bool {
    dir.join("initdb").is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::newest;

    #[test]
    fn the_newest_version_with_a_server_wins() {
        let root = tempfile::tempdir().unwrap();
        for (version, program) in [("9", "initdb"), ("15", "initdb"), ("17", "psql")] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join(program), "").unwrap();
        }
        assert_eq!(newest(root.path()), Some(root.path().join("15/bin")));
        assert_eq!(newest(&root.path().join("none")), None);
    }
}
