//! What can go wrong with a database, by what may be done next.

/// A failure of a driver or of a step.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing happened; the same may work later: a lock wait, a deadlock, a serialization failure.
    #[error("{says}")]
    Transient {
        /// What the server said, without secrets.
        says: String,
    },
    /// The server answered that it will not do it. Nothing of the statement or its transaction stands.
    #[error("{says}")]
    Refused {
        /// What the server said, without secrets.
        says: String,
        /// The server's own code: SQLSTATE, or the engine's number.
        code: Option<String>,
    },
    /// No answer came: what was asked may have happened, or may still happen. Ask before anything else.
    #[error("{says}")]
    Lost {
        /// What is known.
        says: String,
    },
    /// The database cannot be reached or opened at all.
    #[error("{says}")]
    Unreachable {
        /// Why, without secrets.
        says: String,
    },
    /// Our own bug, or a server that does what it never should.
    #[error("internal error: {says}")]
    Broken {
        /// What was found.
        says: String,
    },
}

impl Failure {
    /// Our own bug.
    pub fn broken(says: impl Into<String>) -> Self {
        Self::Broken { says: says.into() }
    }

    /// A refusal without the server's code.
    pub fn refused(says: impl Into<String>) -> Self {
        Self::Refused { says: says.into(), code: None }
    }
}
