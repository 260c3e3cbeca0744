//! Indexes as clauses of ALTER TABLE.

use mig_plan::{
    Address, Object,
    schema::{Index, IndexedBy},
};

use super::names::{literal, quote};

/// What makes an index, after ADD.
pub(crate) fn definition(at: &Address, object: &Object, index: &Index) -> String {
    let special = index.method.as_deref().filter(|m| matches!(*m, "FULLTEXT" | "SPATIAL"));
    let word = match (index.unique, special) {
        (true, _) => "UNIQUE ",
        (_, Some("FULLTEXT")) => "FULLTEXT ",
        (_, Some(_)) => "SPATIAL ",
        _ => "",
    };
    let using =
        index.method.as_deref().filter(|_| special.is_none()).map(|m| format!(" USING {m}")).unwrap_or_default();
    let parts: Vec<_> = index
        .parts
        .iter()
        .map(|part| {
            let what = match &part.what {
                IndexedBy::Column(name) => format!("{}{}", quote(name), part.opclass.as_deref().unwrap_or_default()),
                IndexedBy::Expression(sql) => format!("({sql})"),
            };
            if part.descending { format!("{what} DESC") } else { what }
        })
        .collect();
    let mut out = format!("{word}INDEX {} ({}){using}", quote(at.name()), parts.join(", "));
    for (key, value) in &index.options {
        match key.as_str() {
            "invisible" => out.push_str(" INVISIBLE"),
            "ignored" => out.push_str(" IGNORED"),
            "parser" => out.push_str(&format!(" WITH PARSER {value}")),
            _ => out.push_str(&format!(" {}={value}", key.to_ascii_uppercase())),
        }
    }
    if let Some(comment) = &object.comment {
        out.push_str(&format!(" COMMENT {}", literal(comment)));
    }
    out
}

/// The statement that makes an index.
pub(crate) fn create(at: &Address, object: &Object, index: &Index) -> String {
    format!("ALTER TABLE {} ADD {}", quote(&index.table.name), definition(at, object, index))
}

/// The statement that drops an index.
pub(crate) fn drop(at: &Address, index: &Index) -> String {
    format!("ALTER TABLE {} DROP INDEX {}", quote(&index.table.name), quote(at.name()))
}

/// The statement that exchanges an index.
pub(crate) fn replace(at: &Address, to: &Object, index: &Index) -> String {
    format!(
        "ALTER TABLE {} DROP INDEX {}, ADD {}",
        quote(&index.table.name),
        quote(at.name()),
        definition(at, to, index)
    )
}
