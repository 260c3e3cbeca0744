//! What SQLite does with a connection.
