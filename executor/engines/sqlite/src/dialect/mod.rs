//! What SQLite knows without a connection.
