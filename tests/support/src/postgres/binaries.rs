//! Finds the server's programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tool;

/// Where Debian keeps one directory for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The directory of `initdb` and `pg_ctl`: `$MIG_PG_BIN`, else Debian's newest, else from `PATH`.
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

/// A client program: the one beside the server, else the one from `PATH`, as a server may come without any.
pub(super) fn client(beside: &Path, name: &str) -> PathBuf {
    Some(beside.join(name)).filter(|own| own.is_file()).unwrap_or_else(|| name.into())
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

    use super::{client, newest};

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

    #[test]
    fn a_client_is_the_one_beside_the_server_if_there_is_one() {
        let bin = tempfile::tempdir().unwrap();
        fs::write(bin.path().join("psql"), "").unwrap();
        assert_eq!(client(bin.path(), "psql"), bin.path().join("psql"));
        assert_eq!(client(bin.path(), "pg_dump").to_str(), Some("pg_dump"));
    }
}
