//! SQLite's errors, by what may be done next.

use std::path::Path;

use mig_executor::Failure;
use sqlx::Error;

/// SQLite's primary result codes that mean something special here.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const NOMEM: u32 = 7;
    pub(super) const READONLY: u32 = 8;
    pub(super) const INTERRUPT: u32 = 9;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
}

/// What an error means.
pub(super) fn failure(error: &Error) -> Failure {
    let Error::Database(database) = error else {
        return match error {
            Error::WorkerCrashed => Failure::Lost { says: "the thread that talks to SQLite is gone".to_owned() },
            Error::Io(io) => Failure::Unreachable { says: format!("the database file cannot be used: {io}") },
            other => Failure::broken(other.to_string()),
        };
    };
    let said = database.message();
    let code = database.code().map(|c| c.into_owned());
    let number = code.as_deref().and_then(|c| c.parse::<u32>().ok());
    let refused = |says: String| Failure::Refused { says, code: code.clone() };
    match number.map(|n| n & 0xff) {
        Some(code::BUSY | code::LOCKED) => {
            Failure::Transient { says: format!("somebody else is using the database file: {said}") }
        }
        Some(code::INTERRUPT | code::NOMEM) => Failure::Transient { says: said.to_owned() },
        Some(code::FULL) => refused(format!("the disk that the database file is on is full: {said}")),
        Some(code::IOERR) => refused(format!("the database file cannot be read or written: {said}")),
        Some(code::READONLY) => refused(format!("the database file cannot be written: {said}")),
        Some(code::CORRUPT) => refused(format!("the database file is damaged: {said}")),
        Some(code::CANTOPEN) => Failure::Unreachable { says: format!("the database file cannot be opened: {said}") },
        Some(code::NOTADB) => Failure::Unreachable { says: format!("it is no SQLite database: {said}") },
        _ => refused(said.to_owned()),
    }
}

/// The same for an error at opening: it names the file, and nothing that happens there is more than that it cannot be used.
pub(super) fn opening(file: &Path, error: &Error) -> Failure {
    let file = file.display();
    match failure(error) {
        Failure::Transient { says } => Failure::Transient { says: format!("{file}: {says}") },
        other => Failure::Unreachable { says: format!("{file}: {other}") },
    }
}
