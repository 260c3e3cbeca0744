//! Files that are whole or not there, and their hashes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// A file of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filed {
    /// Its path inside the folder, with `/`.
    path: String,
    /// Its size.
    bytes: u64,
    /// `sha256:` and 64 hex digits.
    sha256: String,
}

/// Writes a file as a whole: a reader, or the next executor, meets the old one or the new one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}

/// The same for JSON Lines.
pub(super) fn write_lines(path: &Path, lines: impl Iterator<Item = serde_json::Value>) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = BufWriter::new(File::create(&partial)?);
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(partial, path)
}

/// A value as a person reads JSON.
pub(super) fn pretty<T: Serialize + ?Sized>(value: &T) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A JSON file; the type's default if it is not there.
pub(super) fn read_json<T: DeserializeOwned + Default>(path: &Path) -> io::Result<T> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

/// `sha256:` and the hex digits of a finished hash.
pub(super) fn digest(hash: Sha256) -> String {
    hash.finalize().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The hash of a file, read piece by piece, and its size.
pub(super) fn hash(path: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((digest(hash), bytes));
        }
        hash.update(&piece[..read]);
        bytes += read as u64;
    }
}

/// Every file below a folder with its hash, by name.
pub(super) fn list(folder: &Path, except: &[&str]) -> io::Result<Vec<Filed>> {
    let mut paths = Vec::new();
    below(folder, &mut paths)?;
    let mut found = Vec::new();
    for path in paths {
        let inside = path.strip_prefix(folder).unwrap_or(&path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        if !except.contains(&name.as_str()) {
            let (sha256, bytes) = hash(&path)?;
            found.push(Filed { path: name, bytes, sha256 });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { below(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

/// Files of the manifest that are changed or gone, and files that it does not know.
pub(super) fn altered(folder: &Path) -> io::Result<BTreeMap<String, &'static str>> {
    #[derive(Deserialize)]
    struct Manifest {
        files: Vec<Filed>,
    }
    let manifest: Manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json"))?)?;
    let mut there: BTreeMap<String, Filed> =
        list(folder, &["manifest.json"])?.into_iter().map(|filed| (filed.path.clone(), filed)).collect();
    let mut wrong = BTreeMap::new();
    for filed in manifest.files {
        match there.remove(&filed.path) {
            None => drop(wrong.insert(filed.path, "is gone")),
            Some(found) if found != filed => drop(wrong.insert(filed.path, "was changed")),
            Some(_) => {}
        }
    }
    wrong.extend(there.into_keys().map(|path| (path, "is not in the manifest")));
    Ok(wrong)
}
