//! Questions about tables of the moment, over what they were before the first write.

use std::collections::BTreeSet;

use mig_plan::{
    Name, Past,
    sql::{Token, TokenKind, tokens},
};

use super::names::{qualified, quote};

/// What only a table has, not a query over one.
const OF_TABLES: [&str; 5] = ["ctid", "tableoid", "xmin", "xmax", "only"];

/// A query over tables as they were: each stands in it by its bare name, which then means a query over the old one. `None` where a name
/// would mean another thing, or nothing could tell the type of a column that is yet to come.
pub(crate) fn over_past(sql: &str, past: &[Past]) -> Option<String> {
    let bare: BTreeSet<&Name> = past.iter().map(|p| &p.table.name).collect();
    let said: Vec<Token<'_>> = tokens(sql).filter(|t| t.kind != TokenKind::Blank).collect();
    let names: BTreeSet<String> = said.iter().filter_map(Token::identifier).collect();
    let untyped = |p: &Past| p.columns.iter().any(|(name, value)| value == "NULL" && names.contains(name.as_str()));
    if bare.len() != past.len() || past.iter().any(untyped) || OF_TABLES.iter().any(|word| names.contains(*word)) {
        return None;
    }
    let asked = unqualified(sql, past)?;
    let table =
        |p: &Past| format!("{} AS (SELECT {} FROM {})", quote(&p.table.name), p.columns(quote), qualified(&p.base));
    let tables: Vec<_> = past.iter().map(table).collect();
    Some(format!("WITH {}\n{asked}", tables.join(", ")))
}

/// The query with the tables by their bare names.
fn unqualified(sql: &str, past: &[Past]) -> Option<String> {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let (mut out, mut at, mut found) = (String::new(), 0, BTreeSet::new());
    while at < all.len() {
        let path = (all.get(at).and_then(Token::identifier), all.get(at + 2).and_then(Token::identifier));
        let dotted = all.get(at + 1).is_some_and(|t| t.text == ".");
        let of = |p: &&Past| {
            let schema = p.table.schema.as_ref().map(Name::as_str);
            dotted && path.0.as_deref() == schema && path.1.as_deref() == Some(p.table.name.as_str())
        };
        let Some(table) = past.iter().find(of) else {
            out.push_str(all[at].text);
            at += 1;
            continue;
        };
        // A type or a routine of that name stays what it is.
        let before = all[..at].iter().rev().find(|t| t.kind != TokenKind::Blank);
        let (cast, called) =
            (before.is_some_and(|t| t.text.ends_with(':')), all.get(at + 3).is_some_and(|t| t.text == "("));
        if cast || called {
            return None;
        }
        found.insert(&table.table);
        out.push_str(&quote(&table.table.name));
        at += 3;
    }
    (!found.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use mig_plan::Qualified;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn past(value: &str) -> Past {
        let of = |table: &str| Qualified::new(Some(name("public")), name(table));
        let columns = vec![(name("id"), "id".to_owned()), (name("now"), value.to_owned())];
        Past { table: of("t2"), base: of("t"), columns }
    }

    #[test]
    fn a_table_is_asked_under_its_old_names() {
        let asked =
            over_past("SELECT count(*) FROM public.t2 AS x WHERE x.now IS NULL AND public.t3.a > 0", &[past("was")]);
        let over = "WITH t2 AS (SELECT id AS id, was AS now FROM public.t)\n\
                    SELECT count(*) FROM t2 AS x WHERE x.now IS NULL AND public.t3.a > 0";
        assert_eq!(asked.as_deref(), Some(over));
    }

    #[test]
    fn what_would_mean_something_else_is_not_asked() {
        assert_eq!(over_past("SELECT count(*) FROM public.t2 WHERE now IS NULL", &[past("NULL")]), None);
        assert_eq!(over_past("SELECT NULL::public.t2", &[past("was")]), None);
        assert_eq!(over_past("SELECT ctid FROM public.t2", &[past("was")]), None);
        assert_eq!(over_past("SELECT 1 FROM public.t3", &[past("was")]), None);
    }
}
