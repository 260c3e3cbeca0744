//! Batches over a table without a key: ranges of blocks. A row that is changed while they go on moves to another block; it is met there,
//! or in the next pass.

use mig_plan::{Qualified, Statement};

use crate::dialect::names::{literal, qualified};

/// Rows in a block, where the server has not counted them yet.
const ROWS: u32 = 60;

/// Where a batch ends: so many blocks further as hold the wanted rows.
pub(super) fn bound(table: &Qualified, next: bool) -> Statement {
    let (from, rows, last) = if next { (block(1), 2, block(3)) } else { ("0".to_owned(), 1, block(2)) };
    let rows = format!("${rows}::text::bigint");
    Statement::new(format!(
        "{},\n\
         blocks AS (SELECT {from} AS begun, {last} AS last, (SELECT coalesce(sum(greatest(c.reltuples, 0)) / nullif(max(c.relpages), 0), {ROWS})\n    \
         FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.at) AS held)\n\
         SELECT format('(%s,0)', least(last, begun + ceil({rows} / greatest(held, 1))::bigint)) FROM blocks WHERE begun < last",
        tree(table)
    ))
}

/// The end of the table, or of the longest of those that inherit from it.
pub(super) fn end(table: &Qualified) -> Statement {
    Statement::new(format!(
        "{}\nSELECT format('(%s,0)', max(pg_catalog.pg_relation_size(at)) / current_setting('block_size')::bigint) FROM tree",
        tree(table)
    ))
}

/// The table and all that inherit from it.
fn tree(table: &Qualified) -> String {
    format!(
        "WITH RECURSIVE tree AS (\n    SELECT {}::regclass::oid AS at\n    \
         UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree ON i.inhparent = tree.at\n)",
        literal(&qualified(table))
    )
}

/// The block of a place that a parameter names.
fn block(parameter: usize) -> String {
    format!("split_part(ltrim(${parameter}::text, '('), ',', 1)::bigint")
}
