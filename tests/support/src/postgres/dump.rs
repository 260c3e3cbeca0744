//! Strips a `pg_dump` script to the shape of the database.

use std::borrow::Cow;

/// Settings that `pg_dump` makes for its own script. The list is closed because a function's body may hold a line that
/// begins with `SET`, too.
const SETTINGS: [&str; 12] = [
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "default_table_access_method",
    "default_tablespace",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "row_security",
    "standard_conforming_strings",
    "statement_timeout",
    "transaction_timeout",
    "xmloption",
];

/// The script without the dump's own comments, settings and keys, without repeated blank lines, and without the names that the server
/// gives to what makes columns required: they tell of a table's past, not of its shape.
pub(super) fn shape(script: &str) -> String {
    let mut shape = String::new();
    let mut gap = false;
    for line in script.lines().filter(|line| !is_frame(line)) {
        if line.is_empty() {
            gap = !shape.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            shape.push('\n');
        }
        shape.push_str(&without_given_name(line));
        shape.push('\n');
    }
    shape
}

/// A line without a name like `CONSTRAINT t_a_not_null` before its `NOT NULL`.
fn without_given_name(line: &str) -> Cow<'_, str> {
    let parts = line.split_once(" CONSTRAINT ").and_then(|(column, rest)| {
        let (name, rest) = rest.split_once(" NOT NULL")?;
        let given = name.trim_matches('"').trim_end_matches(|c: char| c.is_ascii_digit()).ends_with("_not_null");
        (given && !name.contains("_mig_")).then(|| format!("{column} NOT NULL{rest}"))
    });
    parts.map_or(Cow::Borrowed(line), Cow::Owned)
}

/// Is the line the dump's own, and none of the database's?
fn is_frame(line: &str) -> bool {
    let comment = ["-- Name: ", "-- Dumped ", "-- PostgreSQL database dump"];
    let script = ["\\restrict ", "\\unrestrict ", "SELECT pg_catalog.set_config('search_path', "];
    line == "--"
        || comment.iter().chain(&script).any(|start| line.starts_with(start))
        || line
            .strip_prefix("SET ")
            .and_then(|rest| rest.split_once(" = "))
            .is_some_and(|(name, _)| SETTINGS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn keeps_the_shape_only() {
        let script = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x1\n\n-- Dumped from database version 17.6\n\n\
             SET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n--\n-- Name: t; Type: \
             TABLE\n--\n\nCREATE TABLE public.t (\n    a integer CONSTRAINT u_a_not_null1 NOT NULL,\n    b integer CONSTRAINT \
             mine NOT NULL\n);\n\n\n-- by hand\nSET a = 1\n\n\\unrestrict x1\n\n";
        assert_eq!(
            shape(script),
            "CREATE TABLE public.t (\n    a integer NOT NULL,\n    b integer CONSTRAINT mine NOT NULL\n);\n\n-- by hand\nSET a = 1\n"
        );
    }
}
