//! What a failure of sqlx means for what may be done next.

use mig_executor::Failure;
use sqlx::Error;

/// What happened to a statement. `asked` tells what was being done, for messages.
pub(super) fn failure(error: Error, asked: &str) -> Failure {
    match error {
        Error::Database(error) => {
            let code = error.code().map(|c| c.into_owned());
            let error = error.downcast::<sqlx::postgres::PgDatabaseError>();
            let mut says = error.message().to_owned();
            for (word, more) in [("detail", error.detail()), ("hint", error.hint()), ("where", error.r#where())] {
                if let Some(more) = more {
                    says.push_str(&format!("\n{word}: {more}"));
                }
            }
            answered(says, code)
        }
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::PoolClosed => {
            Failure::Lost { says: format!("the connection was lost while {asked}: {error}") }
        }
        error => Failure::broken(format!("while {asked}: {error}")),
    }
}

/// What the server's own code means.
fn answered(says: String, code: Option<String>) -> Failure {
    match code.as_deref() {
        // lock_not_available, deadlock_detected, serialization_failure: nothing happened, the same may work later.
        Some("55P03" | "40P01" | "40001") => Failure::Transient { says },
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout,
        // connection exceptions, statement_completion_unknown: the session is gone.
        Some("57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "40003" | "25P03" | "25P04") => Failure::Lost { says },
        Some(code) if code.starts_with("08") => Failure::Lost { says },
        _ => Failure::Refused { says, code },
    }
}

/// The same for what fails before there is a session.
pub(super) fn unreachable(error: Error, place: &str) -> Failure {
    let why = match &error {
        Error::Database(error) => error.message().to_owned(),
        Error::Io(error) => error.to_string(),
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
    fn codes_tell_what_may_be_done_next() {
        let of = |code: &str| answered("x".to_owned(), Some(code.to_owned()));
        assert!(matches!(of("55P03"), Failure::Transient { .. }));
        assert!(matches!(of("40P01"), Failure::Transient { .. }));
        assert!(matches!(of("57014"), Failure::Refused { .. }));
        assert!(matches!(of("57P01"), Failure::Lost { .. }));
        assert!(matches!(of("08006"), Failure::Lost { .. }));
        assert!(matches!(of("42P07"), Failure::Refused { code: Some(_), .. }));
    }
}
