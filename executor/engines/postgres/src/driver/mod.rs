//! What PostgreSQL does with a connection.
