//! What PostgreSQL knows without a connection.
