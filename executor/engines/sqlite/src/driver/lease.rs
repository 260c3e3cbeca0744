//! The lock that only one executor can hold on a database file: an operating system lock on a file beside it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mig_executor::Failure;

/// The file that is locked, and removed when the lock is given back.
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
}

/// Takes the lock, waiting at most `wait`; else says who has it.
pub(super) async fn take(database: &Path, wait: Duration) -> Result<Result<LockFile, String>, Failure> {
    let mut name = database.as_os_str().to_owned();
    name.push("-mig-lock");
    let path = PathBuf::from(name);
    let until = Instant::now() + wait;
    loop {
        if let Some(lock) = attempt(&path)? {
            return Ok(Ok(lock));
        }
        if Instant::now() >= until {
            return Ok(Err(holder(&path)));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One attempt. The lock counts only if the file that is locked is still the one at the path: who gives a lock back removes it.
fn attempt(path: &Path) -> Result<Option<LockFile>, Failure> {
    let cannot =
        |error: std::io::Error| Failure::refused(format!("the lock {} cannot be taken: {error}", path.display()));
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    if !is_at(&file, path) {
        return Ok(None);
    }
    file.set_len(0).map_err(cannot)?;
    write!(file, "{}", std::process::id()).map_err(cannot)?;
    Ok(Some(LockFile { path: path.to_owned(), file }))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |a: &std::fs::Metadata, b: &std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    matches!((file.metadata(), path.metadata()), (Ok(a), Ok(b)) if same(&a, &b))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn holder(path: &Path) -> String {
    let mut pid = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut pid));
    match read {
        Ok(_) if !pid.is_empty() => format!("process {}", pid.trim()),
        _ => "another process".to_owned(),
    }
}

impl LockFile {
    /// Gives the lock back. The file goes first, while the lock still keeps others from it.
    pub(super) fn release(self) {
        // A lock file that stays behind does no harm.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("a.db");
        let first = take(&database, Duration::ZERO).await.unwrap().ok().unwrap();
        let by = take(&database, Duration::ZERO).await.unwrap().err().unwrap();
        assert_eq!(by, format!("process {}", std::process::id()));
        first.release();
        let second = take(&database, Duration::ZERO).await.unwrap().ok().unwrap();
        drop(second);
        assert!(take(&database, Duration::ZERO).await.unwrap().is_ok(), "a lock ends with its holder");
    }
}
