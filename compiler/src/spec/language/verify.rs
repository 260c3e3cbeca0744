//! The keys of what is verified around a run.

use crate::spec::{
    literal::{Literal, Row},
    reader::{Flag, List, Short, Text},
    short::Statements,
};

language! {
    /// A query and what it must answer.
    AssertionSpec {
        /// Its name, for people.
        /// Example: `"no orphaned orders"`
        "name" name: Text,
        /// `"before"` the first write, `"after"` the last step, or `"both"`.
        /// Example: `"both"`
        "when" when: Option<Text>,
        /// One query. Before the first write names are those of the database, after the last step those of the specs.
        /// Example: `"select count(*) from orders where customer_id is null"`
        "sql" sql: Text,
        /// What it must answer: a value; a list of rows, in any order; `{ at_least = 1, at_most = 9 }`; or `"unchanged"`.
        /// Example: `0`
        "expect" expect: Short<ExpectSpec>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["orders"]`
        "tables" tables: Vec<Text>,
    }

    /// What a query must answer, where a value or a list of rows does not say it.
    ExpectSpec {
        /// One row of one value: this one.
        /// Example: `0`
        "value" value: Option<Literal>,
        /// Exactly these rows, in any order.
        /// Example: `[[1, "a"], [2, "b"]]`
        "rows" rows: Option<List<Row>>,
        /// One row of one number: this or more.
        /// Example: `1`
        "at_least" at_least: Option<Literal>,
        /// One row of one number: this or less.
        /// Example: `9`
        "at_most" at_most: Option<Literal>,
        /// After the last step the same rows as before the first write.
        /// Example: `true`
        "unchanged" unchanged: Option<Flag>,
    }

    /// What the database must take or refuse.
    ProbeSpec {
        /// Its name, for people.
        /// Example: `"an upper-case slug is refused"`
        "name" name: Text,
        /// The statement that must succeed or fail; of a list the last one, while those before it must succeed.
        /// Example: `"insert into domains (slug) values ('TEST')"`
        "sql" sql: Short<Statements>,
        /// A part of the error that must come, in any case of letters; without it the statement must succeed.
        /// Example: `"check constraint"`
        "expect_error" expect_error: Option<Text>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["domains"]`
        "tables" tables: Vec<Text>,
    }

    /// Rows that are filed as evidence.
    DatasetSpec {
        /// Its name, for people and for its file.
        /// Example: `"orders"`
        "name" name: Text,
        /// `"before"` the first write, which it is without the key, `"after"` the last step, or `"both"`.
        /// Example: `"both"`
        "when" when: Option<Text>,
        /// One query. Before the first write names are those of the database, after the last step those of the specs.
        /// Example: `"select id, status from orders order by id"`
        "sql" sql: Text,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["orders"]`
        "tables" tables: Vec<Text>,
    }
}
