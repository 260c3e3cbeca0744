//! The catalog queries.

use std::collections::BTreeSet;

use crate::{
    dialect::names::{is_own, literal, quote_text},
    flavor::Flavor,
};

/// What a reading is about.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// Everything.
    All,
    /// The tables, views and other objects of these names.
    Named(BTreeSet<String>),
}

impl Scope {
    /// Whether a thing of that name counts: what is mig's own only if it is asked for.
    pub(super) fn shows(&self, name: &str) -> bool {
        match self {
            Self::All => !is_own(name),
            Self::Named(names) => !is_own(name) || names.contains(name),
        }
    }

    /// A condition on a name.
    fn only(&self, column: &str) -> String {
        match self {
            Self::All => String::new(),
            Self::Named(names) if names.is_empty() => " AND FALSE".to_owned(),
            Self::Named(names) => {
                let list: Vec<_> = names.iter().map(|name| literal(name)).collect();
                format!(" AND {column} IN ({})", list.join(", "))
            }
        }
    }
}

pub(super) fn tables(scope: &Scope) -> String {
    format!(
        "SELECT table_name, table_type, engine, table_collation, create_options, table_comment FROM information_schema.tables \
         WHERE table_schema = DATABASE(){} ORDER BY table_name",
        scope.only("table_name")
    )
}

pub(super) fn columns(scope: &Scope) -> String {
    format!(
        "SELECT table_name, column_name, column_default, is_nullable, column_type, collation_name, extra, \
         generation_expression, column_comment FROM information_schema.columns \
         WHERE table_schema = DATABASE(){} ORDER BY table_name, ordinal_position",
        scope.only("table_name")
    )
}

pub(super) fn indexes(flavor: &Flavor, scope: &Scope) -> String {
    let (hidden, expression) = match (flavor.is_maria(), flavor.version) {
        (true, version) if version >= (10, 6) => ("ignored = 'YES'", "NULL"),
        (true, _) => ("FALSE", "NULL"),
        (false, _) => ("is_visible = 'NO'", "expression"),
    };
    format!(
        "SELECT table_name, index_name, non_unique, column_name, collation, sub_part, index_type, index_comment, {hidden}, \
         {expression} FROM information_schema.statistics \
         WHERE table_schema = DATABASE(){} ORDER BY table_name, index_name, seq_in_index",
        scope.only("table_name")
    )
}

pub(super) fn foreign_keys(scope: &Scope) -> String {
    format!(
        "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema = DATABASE(), k.referenced_table_name, \
         k.referenced_column_name, r.update_rule, r.delete_rule FROM information_schema.key_column_usage k \
         JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema \
         AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name \
         WHERE k.table_schema = DATABASE() AND r.constraint_schema = DATABASE() AND k.referenced_table_name IS NOT NULL{} \
         ORDER BY k.table_name, k.constraint_name, k.ordinal_position",
        scope.only("k.table_name")
    )
}

pub(super) fn checks(flavor: &Flavor, scope: &Scope) -> String {
    if flavor.is_maria() {
        return format!(
            "SELECT table_name, constraint_name, check_clause, level, 'YES' FROM information_schema.check_constraints \
             WHERE constraint_schema = DATABASE(){} ORDER BY table_name, constraint_name",
            scope.only("table_name")
        );
    }
    format!(
        "SELECT t.table_name, t.constraint_name, c.check_clause, 'Table', t.enforced \
         FROM information_schema.table_constraints t JOIN information_schema.check_constraints c \
         ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name \
         WHERE t.constraint_schema = DATABASE() AND t.constraint_type = 'CHECK'{} ORDER BY 1, 2",
        scope.only("t.table_name")
    )
}

pub(super) fn views(flavor: &Flavor, scope: &Scope) -> String {
    let algorithm = if flavor.is_maria() { "algorithm" } else { "'UNDEFINED'" };
    format!(
        "SELECT table_name, view_definition, check_option, security_type, definer, {algorithm} FROM information_schema.views \
         WHERE table_schema = DATABASE(){} ORDER BY table_name",
        scope.only("table_name")
    )
}

pub(super) fn triggers(scope: &Scope) -> String {
    format!(
        "SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_statement, definer \
         FROM information_schema.triggers WHERE trigger_schema = DATABASE(){} \
         ORDER BY event_object_table, action_timing, event_manipulation, action_order",
        scope.only("event_object_table")
    )
}

pub(super) fn routines(scope: &Scope) -> String {
    format!(
        "SELECT routine_name, routine_type FROM information_schema.routines WHERE routine_schema = DATABASE(){} \
         ORDER BY routine_type, routine_name",
        scope.only("routine_name")
    )
}

pub(super) fn events(scope: &Scope) -> String {
    format!(
        "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE(){} ORDER BY event_name",
        scope.only("event_name")
    )
}

pub(super) fn sequence(name: &str) -> String {
    format!(
        "SELECT minimum_value, maximum_value, start_value, increment, cache_size, cycle_option FROM {}",
        quote_text(name)
    )
}

pub(super) fn show(what: &str, name: &str) -> String {
    format!("SHOW CREATE {what} {}", quote_text(name))
}
