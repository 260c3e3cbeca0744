//! Reading and writing files with errors that name them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::exit::{Reason, Trouble};

/// A file's bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    fs::read(path).map_err(|error| Trouble::file("read", path, &error))
}

/// A file's text.
pub(crate) fn read_text(path: &Path) -> Result<String, Trouble> {
    String::from_utf8(read(path)?)
        .map_err(|_| Trouble::new(Reason::Input, format!("{} is not UTF-8 text", path.display())))
}

/// Writes a file whole or not at all: into a file beside it that then takes its place. Makes the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let trouble = |error: io::Error| Trouble::file("write", path, &error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(trouble)?;
    let mut file =
        tempfile::Builder::new().prefix(".mig-").permissions(readable()).tempfile_in(folder).map_err(trouble)?;
    io::Write::write_all(&mut file, bytes).map_err(trouble)?;
    file.as_file().sync_all().map_err(trouble)?;
    file.persist(path).map_err(|error| trouble(error.error))?;
    Ok(())
}

/// What a new file may: the umask takes away from it as from any other.
fn readable() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}

/// The files of a folder and those below it whose name ends so, in order of their paths. Hidden ones are left out.
pub(crate) fn below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Trouble> {
    let mut found = Vec::new();
    walk(folder, ending, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let trouble = |error| Trouble::file("read", folder, &error);
    for entry in fs::read_dir(folder).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, ending, found)?;
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    Ok(())
}
