//! Reads CREATE TABLE.

use std::collections::BTreeMap;

use mig_plan::{
    Name, Sql,
    sql::TokenKind,
    table::{Column, ColumnValue, Deferral, ReferentialAction},
};

use super::{ParsedConstraint, ParsedKey, ParsedRule, ParsedTable, head, index::ParsedPart, on_conflict};
use crate::dialect::{
    lex::{Walk, string_value},
    names,
    shape::NOT_NULL,
    types,
};

/// Reads a CREATE TABLE; `None` if it is none that SQLite would take.
pub(crate) fn table(sql: &str) -> Option<ParsedTable> {
    let mut walk = Walk::new(sql);
    head(&mut walk, "table")?;
    let mut table = ParsedTable::default();
    if !walk.sign("(") {
        return None;
    }
    loop {
        if starts_table_constraint(&walk) {
            table_constraint(&mut walk, &mut table)?;
            // SQLite lets the comma between table constraints be left out.
            while starts_table_constraint(&walk) {
                table_constraint(&mut walk, &mut table)?;
            }
        } else {
            column(&mut walk, &mut table)?;
        }
        if walk.sign(")") {
            break;
        }
        if !walk.sign(",") {
            return None;
        }
    }
    loop {
        if walk.words(&["strict"]) {
            table.strict = true;
        } else if walk.words(&["without"]) {
            table.without_rowid = walk.take()?.is_word("rowid");
        }
        if !walk.sign(",") {
            return Some(table);
        }
    }
}

fn starts_table_constraint(walk: &Walk<'_>) -> bool {
    let word = |w| walk.at_word(w);
    let next = |w| walk.peek_at(1).is_some_and(|t| t.is_word(w));
    let open = walk.peek_at(1).is_some_and(|t| t.is_sign("("));
    word("constraint")
        || (word("primary") && next("key"))
        || (word("foreign") && next("key"))
        || ((word("unique") || word("check")) && open)
}

fn table_constraint(walk: &mut Walk<'_>, table: &mut ParsedTable) -> Option<()> {
    let mut name = None;
    while walk.words(&["constraint"]) {
        name = Some(walk.name()?);
    }
    let mut deferral = Deferral::NotDeferrable;
    let rule = if walk.words(&["primary", "key"]) {
        let inner = walk.parenthesized()?;
        let autoincrement = inner.to_ascii_lowercase().ends_with(" autoincrement");
        let inner = if autoincrement { &inner[..inner.len() - " autoincrement".len()] } else { inner };
        ParsedRule::PrimaryKey { parts: super::index::parts(inner)?, autoincrement }
    } else if walk.words(&["unique"]) {
        ParsedRule::Unique { parts: super::index::parts(walk.parenthesized()?)? }
    } else if walk.words(&["check"]) {
        ParsedRule::Check(walk.parenthesized()?.to_owned())
    } else if walk.words(&["foreign", "key"]) {
        let columns = super::index::parts(walk.parenthesized()?)?;
        let columns = columns.into_iter().map(|part| part.column).collect::<Option<Vec<_>>>()?;
        if !walk.words(&["references"]) {
            return None;
        }
        let (key, defer) = references(walk, columns)?;
        deferral = defer;
        ParsedRule::ForeignKey(key)
    } else {
        // A name that nothing follows names nothing.
        return name.map(|_| ());
    };
    let on_conflict = on_conflict(walk);
    table.constraints.push(ParsedConstraint { name, column: None, rule, deferral, on_conflict });
    Some(())
}

fn column(walk: &mut Walk<'_>, table: &mut ParsedTable) -> Option<()> {
    let name = walk.name()?;
    let data_type = column_type(walk)?;
    let mut column = Column {
        name: name.clone(),
        data_type,
        not_null: false,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    };
    while column_constraint(walk, &mut column, table)? {}
    table.columns.push(column);
    Some(())
}

/// Takes the type: names, then perhaps numbers in parentheses.
fn column_type(walk: &mut Walk<'_>) -> Option<String> {
    let Some(from) = walk.peek().map(|t| t.at) else { return Some(String::new()) };
    let mut any = false;
    while let Some(token) = walk.peek() {
        if types::stops(&token) || token.name().is_none() {
            break;
        }
        walk.take();
        any = true;
    }
    if !any {
        return Some(String::new());
    }
    if walk.at_sign("(") {
        walk.parenthesized()?;
    }
    Some(types::canonical(walk.since(from)))
}

/// Takes one constraint of a column; `false` if there is none.
fn column_constraint(walk: &mut Walk<'_>, column: &mut Column, table: &mut ParsedTable) -> Option<bool> {
    let mut name = None;
    while walk.words(&["constraint"]) {
        name = Some(walk.name()?);
    }
    let mut push = |rule, deferral, on_conflict| {
        let (name, column) = (name.clone(), Some(column.name.clone()));
        table.constraints.push(ParsedConstraint { name, column, rule, deferral, on_conflict });
    };
    let own = |descending| {
        let text = column.name.as_str().to_owned();
        vec![ParsedPart { column: Some(column.name.clone()), text, collation: None, descending }]
    };
    if walk.words(&["primary", "key"]) {
        let descending = walk.words(&["desc"]);
        walk.words(&["asc"]);
        let conflict = on_conflict(walk);
        let autoincrement = walk.words(&["autoincrement"]);
        push(ParsedRule::PrimaryKey { parts: own(descending), autoincrement }, Deferral::NotDeferrable, conflict);
    } else if walk.words(&["unique"]) {
        let conflict = on_conflict(walk);
        push(ParsedRule::Unique { parts: own(false) }, Deferral::NotDeferrable, conflict);
    } else if walk.words(&["check"]) {
        push(ParsedRule::Check(walk.parenthesized()?.to_owned()), Deferral::NotDeferrable, None);
        on_conflict(walk);
    } else if walk.words(&["references"]) {
        let (key, deferral) = references(walk, vec![column.name.clone()])?;
        push(ParsedRule::ForeignKey(key), deferral, None);
    } else if walk.words(&["not", "null"]) {
        column.not_null = true;
        column.options.insert(NOT_NULL.to_owned(), "declared".to_owned());
        if let Some(action) = on_conflict(walk) {
            column.options.insert("not_null_on_conflict".to_owned(), action);
        }
    } else if walk.words(&["null"]) {
        on_conflict(walk);
    } else if walk.words(&["default"]) {
        column.value = ColumnValue::Default(Sql::new(default(walk)?));
    } else if walk.words(&["collate"]) {
        column.collation = Some(walk.name()?.as_str().to_ascii_uppercase());
    } else if walk.words(&["generated", "always", "as"]) || walk.words(&["as"]) {
        let expression = Sql::new(walk.parenthesized()?);
        let stored = walk.words(&["stored"]);
        walk.words(&["virtual"]);
        column.value = ColumnValue::Generated { expression, stored };
    } else if let Some(deferral) = deferral(walk) {
        // A deferral that stands apart belongs to the foreign key before it.
        let last = table.constraints.last_mut().filter(|c| matches!(c.rule, ParsedRule::ForeignKey(_)));
        last?.deferral = deferral;
    } else {
        return Some(name.is_some());
    }
    Some(true)
}

/// Takes the value after DEFAULT: a number with its sign, a literal, a name (which is a string), or an expression.
fn default(walk: &mut Walk<'_>) -> Option<String> {
    let first = walk.peek()?;
    if first.is_sign("(") {
        return Some(walk.parenthesized()?.to_owned());
    }
    walk.take();
    if first.is_sign("+") || first.is_sign("-") {
        walk.take()?;
        return Some(walk.since(first.at).to_owned());
    }
    if matches!(first.kind, TokenKind::Quoted) || (first.kind == TokenKind::Word && !is_value_word(first.text)) {
        return first.name().map(|name| names::literal(name.as_str()));
    }
    Some(first.text.to_owned())
}

/// The words that stand for a value.
pub(crate) fn is_value_word(word: &str) -> bool {
    const WORDS: &[&str] = &["null", "true", "false", "current_time", "current_date", "current_timestamp"];
    WORDS.contains(&word.to_ascii_lowercase().as_str())
}

/// Takes what follows REFERENCES.
fn references(walk: &mut Walk<'_>, columns: Vec<Name>) -> Option<(ParsedKey, Deferral)> {
    let parent = walk.name()?;
    let mut key = ParsedKey {
        columns,
        parent,
        referenced: Vec::new(),
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        match_full: false,
    };
    if walk.at_sign("(") {
        let parts = super::index::parts(walk.parenthesized()?)?;
        key.referenced = parts.into_iter().map(|part| part.column).collect::<Option<Vec<_>>>()?;
    }
    let mut when = Deferral::NotDeferrable;
    loop {
        if walk.words(&["on", "delete"]) {
            key.on_delete = action(walk)?;
        } else if walk.words(&["on", "update"]) {
            key.on_update = action(walk)?;
        } else if walk.words(&["on", "insert"]) {
            action(walk)?;
        } else if walk.words(&["match"]) {
            let word = walk.name()?;
            key.match_full = string_value(word.as_str()).eq_ignore_ascii_case("full");
        } else if let Some(deferral) = deferral(walk) {
            when = deferral;
        } else {
            return Some((key, when));
        }
    }
}

fn action(walk: &mut Walk<'_>) -> Option<ReferentialAction> {
    const ACTIONS: &[(&[&str], ReferentialAction)] = &[
        (&["no", "action"], ReferentialAction::NoAction),
        (&["restrict"], ReferentialAction::Restrict),
        (&["cascade"], ReferentialAction::Cascade),
        (&["set", "null"], ReferentialAction::SetNull),
        (&["set", "default"], ReferentialAction::SetDefault),
    ];
    ACTIONS.iter().find(|(words, _)| walk.words(words)).map(|(_, action)| *action)
}

/// Takes `[NOT] DEFERRABLE [INITIALLY ...]`, if it is there.
fn deferral(walk: &mut Walk<'_>) -> Option<Deferral> {
    let never = walk.words(&["not", "deferrable"]);
    if !never && !walk.words(&["deferrable"]) {
        return None;
    }
    let deferred = walk.words(&["initially", "deferred"]);
    walk.words(&["initially", "immediate"]);
    Some(match (never, deferred) {
        (true, _) => Deferral::NotDeferrable,
        (false, true) => Deferral::InitiallyDeferred,
        (false, false) => Deferral::InitiallyImmediate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_at_once() {
        let sql = r#"CREATE TABLE IF NOT EXISTS "my "" table" ( -- note, with (parens
            id INTEGER CONSTRAINT pk PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT,
            [a b] varchar ( 10 ) NOT NULL ON CONFLICT IGNORE DEFAULT 'x,y' COLLATE nocase UNIQUE,
            c DEFAULT -1.5 CHECK (c > (1) and c <> ')'),
            d DEFAULT (datetime('now')), e text DEFAULT abc, f TEXT DEFAULT CURRENT_TIMESTAMP,
            g INT GENERATED ALWAYS AS (id * 2) STORED NOT NULL,
            h AS (id || '-'),
            i integer references p on delete set null on update cascade deferrable initially deferred,
            PRIMARY KEY (a, "b" DESC), CONSTRAINT u UNIQUE (a COLLATE NOCASE) ON CONFLICT FAIL
            CONSTRAINT fk FOREIGN KEY (a, [b]) REFERENCES other(x, y) MATCH FULL,
            CHECK (a <> 'it''s'))
            STRICT, WITHOUT ROWID"#;
        let parsed = table(sql).unwrap();
        assert!(parsed.strict && parsed.without_rowid);
        let types: Vec<_> = parsed.columns.iter().map(|c| c.data_type.as_str()).collect();
        assert_eq!(types, ["INTEGER", "VARCHAR ( 10 )", "", "", "TEXT", "TEXT", "INT", "", "INTEGER"]);
        let defaults: Vec<_> = parsed
            .columns
            .iter()
            .filter_map(|c| match &c.value {
                ColumnValue::Default(sql) => Some(sql.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(defaults, ["'x,y'", "-1.5", "datetime('now')", "'abc'", "CURRENT_TIMESTAMP"]);
        assert_eq!(parsed.columns[1].options["not_null_on_conflict"], "ignore");
        assert_eq!(parsed.constraints.len(), 8);
        assert!(
            matches!(&parsed.constraints[0].rule, ParsedRule::PrimaryKey { parts, autoincrement: true } if parts[0].descending)
        );
        assert!(
            matches!(&parsed.constraints[3].rule, ParsedRule::ForeignKey(k) if k.on_update == ReferentialAction::Cascade)
        );
        assert_eq!(parsed.constraints[3].deferral, Deferral::InitiallyDeferred);
        assert_eq!(parsed.constraints[5].on_conflict.as_deref(), Some("fail"));
    }

    #[test]
    fn a_column_may_be_called_like_a_keyword() {
        let parsed =
            table("CREATE TABLE t(key text, \"primary\" text, 'check' int, desc, id integer primary key)").unwrap();
        let names: Vec<_> = parsed.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["key", "primary", "check", "desc", "id"]);
    }
}
