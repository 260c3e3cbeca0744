//! What a failure of sqlx means for what may be done next.

use mig_executor::Failure;
use sqlx::{Error, mysql::MySqlDatabaseError};

/// What happened to a statement. `asked` tells what was being done, for messages.
pub(super) fn failure(error: Error, asked: &str) -> Failure {
    match error {
        Error::Database(error) => match error.try_downcast::<MySqlDatabaseError>() {
            Ok(error) => answered(error.message().to_owned(), error.number()),
            Err(error) => Failure::Refused { says: error.message().to_owned(), code: None },
        },
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::PoolClosed => {
            Failure::Lost { says: format!("the connection was lost while {asked}: {error}") }
        }
        error => Failure::broken(format!("while {asked}: {error}")),
    }
}

/// What the server's own number means.
fn answered(says: String, number: u16) -> Failure {
    match number {
        // A lock wait or deadlock: nothing happened, the same may work later.
        1205 | 1213 | 3572 => Failure::Transient { says },
        // The server shuts down, or the session was ended.
        1053 | 1077 | 1079 | 1927 | 2006 | 2013 | 4031 => Failure::Lost { says },
        _ => Failure::Refused { says, code: Some(number.to_string()) },
    }
}

/// The same for what fails before there is a session.
pub(super) fn unreachable(error: Error, place: &str) -> Failure {
    let why = match &error {
        Error::Database(error) => error.message().to_owned(),
        Error::Configuration(error) => {
            return Failure::Unreachable { says: format!("the URL cannot be used: {error}") };
        }
        error => error.to_string(),
    };
    Failure::Unreachable { says: format!("cannot connect to {place}: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_what_may_be_done_next() {
        let of = |number| answered("x".to_owned(), number);
        assert!(matches!(of(1205), Failure::Transient { .. }));
        assert!(matches!(of(1927), Failure::Lost { .. }));
        assert!(matches!(of(1064), Failure::Refused { code: Some(_), .. }));
    }
}
