//! Whether a declared text means what the catalog's text means.
//!
//! Both are parsed, brought to one form by the rewrites that PostgreSQL is known to do, and compared as trees.

mod form;
mod tree;

use mig_plan::{
    Body, Name, Object, Sameness, Sql,
    sql::{TokenKind, tokens},
};
use serde_json::Value;
use sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

/// Longest text that is parsed, in bytes: the parser's stack grows with what it reads.
const MAX_BYTES: usize = 20_000;

/// Most operators of a text that is parsed; chains of them nest.
const MAX_OPERATORS: usize = 120;

/// What a comparison may look at.
pub(crate) struct Around<'a> {
    /// The object that has the text.
    pub(crate) object: &'a Object,
    /// The schema that unqualified names mean.
    pub(crate) default: Option<&'a Name>,
}

impl Around<'_> {
    /// The type of a column of the object, if it is a table that has it.
    pub(crate) fn type_of(&self, column: &str) -> Option<&str> {
        match &self.object.body {
            Body::Table(table) => {
                table.columns.iter().find(|c| c.name.as_str() == column).map(|c| c.data_type.as_str())
            }
            _ => None,
        }
    }
}

/// Compares two spellings.
pub(crate) fn same(object: &Object, declared: &Sql, catalog: &Sql, default: Option<&Name>) -> Sameness {
    if words(declared.as_str()) == words(catalog.as_str()) {
        return Sameness::Same;
    }
    let around = Around { object, default };
    let (Some(said), Some(found)) = (parsed(declared, &around), parsed(catalog, &around)) else {
        return if bare(declared.as_str()) == bare(catalog.as_str()) { Sameness::Same } else { Sameness::Unknown };
    };
    match tree::same(&said, &found, &around) {
        true => Sameness::Same,
        // The server writes a star out, column by column.
        false if ["\"Wildcard\":", "\"QualifiedWildcard\":"].iter().any(|star| said.to_string().contains(star)) => {
            Sameness::Unknown
        }
        false => Sameness::Different,
    }
}

/// The tokens of a text without blanks, names folded and unquoted.
fn words(text: &str) -> Vec<String> {
    let text = text.trim().trim_end_matches(';');
    let tokens = tokens(text).filter(|t| t.kind != TokenKind::Blank);
    tokens.map(|t| t.identifier().map_or_else(|| t.text.to_owned(), |name| format!("\"{name}\""))).collect()
}

/// The same without parentheses.
fn bare(text: &str) -> Vec<String> {
    let sign = |word: &String| word != "(" && word != ")";
    words(text).into_iter().filter(sign).collect()
}

/// The form of a text; `None` if it does not parse or is too long to try.
fn parsed(text: &Sql, around: &Around<'_>) -> Option<Value> {
    // The server writes out what the parser does not take.
    let source = text.as_str().trim().trim_end_matches(';').replace("TRIM(BOTH FROM ", "TRIM(");
    let source = source.as_str();
    let signs = tokens(source).filter(|t| {
        t.kind == TokenKind::Sign && !matches!(t.text, "," | "." | ")")
            || t.kind == TokenKind::Word
                && matches!(t.text.to_ascii_lowercase().as_str(), "and" | "or" | "not" | "union")
    });
    if source.len() > MAX_BYTES || signs.count() > MAX_OPERATORS {
        return None;
    }
    let first = tokens(source).find(|t| t.kind != TokenKind::Blank)?.text.to_ascii_lowercase();
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(source).ok()?;
    let value = if matches!(first.as_str(), "select" | "with" | "values" | "table") {
        serde_json::to_value(parser.parse_query().ok()?).ok()?
    } else {
        serde_json::to_value(parser.parse_expr().ok()?).ok()?
    };
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then(|| form::normal(value, around))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mig_plan::{Column, ColumnValue, Table};

    use super::*;

    fn object() -> Object {
        let column = |name: &str, data_type: &str| Column {
            name: Name::new(name).unwrap(),
            data_type: data_type.to_owned(),
            not_null: false,
            value: ColumnValue::Plain,
            collation: None,
            comment: None,
            options: BTreeMap::new(),
        };
        let columns = vec![
            column("status", "character varying(10)"),
            column("a", "integer"),
            column("price", "numeric"),
            column("t", "text"),
            column("created_at", "timestamp with time zone"),
        ];
        Object::new(Body::Table(Table { columns, ..Table::default() }))
    }

    fn compare(said: &str, catalog: &str) -> Sameness {
        let public = Name::new("public").unwrap();
        same(&object(), &Sql::new(said), &Sql::new(catalog), Some(&public))
    }

    #[test]
    fn knows_the_rewrites_of_the_server() {
        for (said, catalog) in [
            ("a > 0", "(a > 0)"),
            ("a > 0 and a < 10", "((a > 0) AND (a < 10))"),
            ("a between 1 and 5", "((a >= 1) AND (a <= 5))"),
            (
                "status in ('a', 'b')",
                "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            ),
            ("t in ('a', 'b')", "(t = ANY (ARRAY['a'::text, 'b'::text]))"),
            ("t not in ('a', 'b')", "(t <> ALL (ARRAY['a'::text, 'b'::text]))"),
            ("t in ('a')", "(t = 'a'::text)"),
            ("a != 3", "(a <> 3)"),
            ("t like 'x%'", "(t ~~ 'x%'::text)"),
            ("t not like 'x%'", "(t !~~ 'x%'::text)"),
            ("t ilike 'x%'", "(t ~~* 'x%'::text)"),
            ("t ~ '^[a-z]+$'", "(t ~ '^[a-z]+$'::text)"),
            ("price > 0", "(price > (0)::numeric)"),
            ("price >= -1.5", "(price >= '-1.5'::numeric)"),
            ("a > -1", "(a > '-1'::integer)"),
            ("CAST(a AS int8) > 1", "((a)::bigint > 1)"),
            ("\"A\" is not null", "(\"A\" IS NOT NULL)"),
            ("lower(status)", "lower((status)::text)"),
            ("'draft'", "'draft'::text"),
            ("'draft'", "'draft'::public.state"),
            ("now()", "now()"),
            ("now() - interval '1 day'", "(now() - '1 day'::interval)"),
            ("true", "true"),
            ("'{}'", "'{}'::jsonb"),
            ("nextval('s')", "nextval('public.s'::regclass)"),
            ("extract(year from created_at) > 2000", "(EXTRACT(year FROM created_at) > (2000)::numeric)"),
            ("created_at at time zone 'UTC' > now()", "((created_at AT TIME ZONE 'UTC'::text) > now())"),
            ("coalesce(t, 'x') = 'y'", "(COALESCE(t, 'x'::text) = 'y'::text)"),
            ("char_length(t) <= 5", "(char_length(t) <= 5)"),
            ("(a is null) = (t is null)", "((a IS NULL) = (t IS NULL))"),
            ("not (a > 1 or t = 'b')", "(NOT ((a > 1) OR (t = 'b'::text)))"),
            ("select id, name from users where active", " SELECT id,\n    name\n   FROM public.users\n  WHERE active"),
            (
                "select u.id, count(*) as n from users u join orders o on o.user_id = u.id group by u.id",
                " SELECT u.id,\n    count(*) AS n\n   FROM (public.users u\n     JOIN public.orders o ON ((o.user_id = u.id)))\n  GROUP BY u.id",
            ),
            ("created_at > '2020-01-01'", "(created_at > '2020-01-01 00:00:00+00'::timestamp with time zone)"),
            ("d >= date '2020-01-01'", "(d >= '2020-01-01'::date)"),
            ("char_length(trim(t)) > 0", "(char_length(TRIM(BOTH FROM t)) > 0)"),
            ("case when a > 1 then 'x' else 'y' end", "CASE\n    WHEN (a > 1) THEN 'x'::text\n    ELSE 'y'::text\nEND"),
        ] {
            assert_eq!(compare(said, catalog), Sameness::Same, "{said} | {catalog}");
        }
    }

    #[test]
    fn tells_what_differs() {
        for (said, catalog) in [
            ("a > 0", "(a > 1)"),
            ("t in ('a', 'b', 'c')", "(t = ANY (ARRAY['a'::text, 'b'::text]))"),
            ("a / 2", "((a)::numeric / (2)::numeric)"),
            ("a > 0 or t = 'x'", "((a > 0) AND (t = 'x'::text))"),
            ("current_timestamp", "now()"),
            ("'a'", "'b'::text"),
            ("true", "false"),
            ("select id from users", " SELECT id,\n    name\n   FROM public.users"),
            ("select id from other.users", " SELECT id\n   FROM public.users"),
        ] {
            assert_eq!(compare(said, catalog), Sameness::Different, "{said} | {catalog}");
        }
        assert_eq!(compare("select * from users", " SELECT id\n   FROM public.users"), Sameness::Unknown);
        assert_eq!(compare("a >", "(a > 1)"), Sameness::Unknown);
    }
}
