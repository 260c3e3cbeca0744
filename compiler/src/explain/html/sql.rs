//! SQL with its parts marked.

use mig_plan::sql::{TokenKind, tokens};

use super::{super::clean, escape};

/// Words that most SQL is made of; what else is a word stays plain.
const WORDS: &[&str] = &[
    "add",
    "all",
    "alter",
    "always",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "begin",
    "between",
    "by",
    "cascade",
    "case",
    "cast",
    "change",
    "check",
    "collate",
    "column",
    "comment",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_timestamp",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "domain",
    "drop",
    "each",
    "else",
    "end",
    "enum",
    "except",
    "exclude",
    "execute",
    "exists",
    "extension",
    "false",
    "first",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "function",
    "generated",
    "grant",
    "group",
    "having",
    "identity",
    "if",
    "immediate",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "last",
    "lateral",
    "left",
    "like",
    "limit",
    "lock",
    "materialized",
    "mode",
    "modify",
    "natural",
    "not",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "only",
    "option",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "policy",
    "pragma",
    "preceding",
    "primary",
    "procedure",
    "references",
    "refresh",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "returns",
    "revoke",
    "right",
    "role",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "schema",
    "select",
    "sequence",
    "set",
    "show",
    "statistics",
    "stored",
    "table",
    "temporary",
    "then",
    "to",
    "trigger",
    "true",
    "truncate",
    "type",
    "union",
    "unique",
    "update",
    "using",
    "vacuum",
    "valid",
    "validate",
    "values",
    "view",
    "when",
    "where",
    "window",
    "with",
    "without",
];

/// Statements as one block, each with what is said of its part.
pub(super) fn block(statements: &[(Option<&str>, String)]) -> String {
    let mut out = "<pre class=\"sql\"><code>".to_owned();
    for (part, statement) in statements {
        if let Some(part) = part {
            out.push_str(&format!("<i>-- {}</i>\n", escape(part)));
        }
        out.push_str(&marked(&clean::lines(statement)));
        out.push_str(";\n");
    }
    out.push_str("</code></pre>");
    out
}

fn marked(sql: &str) -> String {
    let mut out = String::new();
    for token in tokens(sql) {
        let text = escape(token.text);
        let mark = match token.kind {
            TokenKind::Blank if token.text.trim().is_empty() => None,
            TokenKind::Blank => Some("i"),
            TokenKind::Word if WORDS.binary_search(&token.text.to_lowercase().as_str()).is_ok() => Some("b"),
            TokenKind::Text => Some("q"),
            TokenKind::Number => Some("var"),
            TokenKind::Word | TokenKind::Quoted | TokenKind::Sign => None,
        };
        match mark {
            Some(mark) => out.push_str(&format!("<{mark}>{text}</{mark}>")),
            None => out.push_str(&text),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_marked() {
        assert!(WORDS.is_sorted());
        assert_eq!(
            marked("SELECT 'a<b', 12 FROM \"T\" -- x"),
            "<b>SELECT</b> <q>&#39;a&lt;b&#39;</q>, <var>12</var> <b>FROM</b> &quot;T&quot; <i>-- x</i>"
        );
    }
}
