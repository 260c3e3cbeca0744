//! What a schema asks for that the server's version does not have: said before anything is planned, not by the server in the middle.

use mig_plan::{
    Address, Body, Column, ColumnValue, Complaint, Constraint, Name, Object, ObjectKind, Rule, Schema, Sql, Table,
    schema::Source,
    sql::{Token, TokenKind, tokens},
};

use super::{render::temporal, versions};

/// Words that only newer servers know, one after the other in a statement that makes an object of a kind, and since when.
const WORDS: &[(ObjectKind, &[&str], u32)] = &[
    (ObjectKind::Function, &["BEGIN", "ATOMIC"], versions::ATOMIC_BODIES),
    (ObjectKind::Procedure, &["BEGIN", "ATOMIC"], versions::ATOMIC_BODIES),
    (ObjectKind::Type, &["MULTIRANGE_TYPE_NAME", "="], versions::MULTIRANGES),
    (ObjectKind::Other, &["TABLES", "IN", "SCHEMA"], versions::PARTS_PUBLISHED),
    (ObjectKind::Collation, &["RULES", "="], versions::COLLATION_RULES),
    (ObjectKind::Collation, &["PROVIDER", "=", "BUILTIN"], versions::COLLATION_LOCALE),
    (ObjectKind::EventTrigger, &["ON", "LOGIN"], versions::LOGIN_EVENTS),
];

/// What all objects ask for that a version does not have.
pub(crate) fn all(schema: &Schema, version: u32) -> Vec<Complaint> {
    let found = schema.objects.iter().flat_map(|(at, object)| {
        let mut lacks = Lacks { schema, version, found: Vec::new() };
        lacks.object(at, object);
        lacks.found
    });
    found.collect()
}

/// What is looked through, and what was found.
struct Lacks<'a> {
    schema: &'a Schema,
    version: u32,
    found: Vec<Complaint>,
}

impl Lacks<'_> {
    /// Says that something needs a version, if the server is older.
    fn needs(&mut self, at: &Address, what: &str, since: u32) {
        if self.version < since {
            let says = format!("{what} needs PostgreSQL {since}, and this is PostgreSQL {}", self.version);
            self.found.push(Complaint { at: at.clone(), says, help: None });
        }
    }

    fn object(&mut self, at: &Address, object: &Object) {
        match &object.body {
            Body::Table(table) => self.table(at, table),
            Body::Index(index) if index.nulls_not_distinct => {
                self.needs(at, "NULLS NOT DISTINCT", versions::NULLS_NOT_DISTINCT);
            }
            Body::View(view) if view.options.contains_key("security_invoker") => {
                self.needs(at, "security_invoker", versions::SECURITY_INVOKER);
            }
            Body::Domain(domain) => self.data_type(at, &domain.base),
            Body::Source(source) => self.source(at, source),
            _ => {}
        }
    }

    fn table(&mut self, at: &Address, table: &Table) {
        let of = at.qualified();
        for column in &table.columns {
            self.column(&Address::column(&of, &column.name), column);
        }
        for (name, constraint) in &table.constraints {
            let at = Address::constraint(&of, name);
            self.constraint(&at, constraint);
            if matches!(constraint.rule, Rule::Exclude { .. }) && table.options.contains_key("partition_by") {
                self.needs(&at, "an exclusion constraint of a partitioned table", versions::PARTITIONED_EXCLUSION);
            }
        }
    }

    fn column(&mut self, at: &Address, column: &Column) {
        self.data_type(at, &column.data_type);
        if column.options.contains_key("compression") {
            self.needs(at, "the compression of a column", versions::COMPRESSION);
        }
        match &column.value {
            ColumnValue::Default(value) => self.expression(at, value),
            ColumnValue::Generated { stored: false, .. } => {
                self.needs(at, "a generated column that is not stored", versions::VIRTUAL);
            }
            _ => {}
        }
    }

    fn constraint(&mut self, at: &Address, constraint: &Constraint) {
        if constraint.key().is_some_and(|key| key.nulls_not_distinct) {
            self.needs(at, "NULLS NOT DISTINCT", versions::NULLS_NOT_DISTINCT);
        }
        if constraint.foreign_key().is_some_and(|fk| !fk.on_delete_columns.is_empty()) {
            self.needs(at, "a list of columns after ON DELETE SET", versions::SET_COLUMNS);
        }
        if constraint.options.contains_key("not_enforced") {
            self.needs(at, "NOT ENFORCED", versions::NOT_ENFORCED);
        }
        if temporal::is_key(constraint) {
            self.needs(at, "WITHOUT OVERLAPS", versions::TEMPORAL);
        }
        if temporal::is_foreign_key(constraint) {
            self.needs(at, "PERIOD", versions::TEMPORAL);
        }
    }

    fn data_type(&mut self, at: &Address, data_type: &str) {
        let element = data_type.trim_end_matches("[]");
        if element.ends_with("multirange") && !element.contains('.') {
            self.needs(at, &format!("the type {element}"), versions::MULTIRANGES);
        }
    }

    /// A value that calls a function which nobody else has made.
    fn expression(&mut self, at: &Address, text: &Sql) {
        let own = |name: &str| {
            let declared = Name::new(name).is_ok_and(|name| self.schema.objects.keys().any(|at| *at.name() == name));
            words(text.as_str()).windows(2).any(|w| is(&w[0], name) && w[1].text == "(") && !declared
        };
        if let Some(name) = ["uuidv7", "uuidv4"].into_iter().find(|name| own(name)) {
            self.needs(at, &format!("the function {name}"), versions::UUID_FUNCTIONS);
        }
    }

    fn source(&mut self, at: &Address, source: &Source) {
        let kind = at.kind();
        if kind == ObjectKind::Procedure && words(at.signature().unwrap_or_default()).iter().any(|w| is(w, "OUT")) {
            self.needs(at, "an OUT argument of a procedure", versions::OUT_OF_PROCEDURES);
        }
        for text in &source.create {
            let words = words(text.as_str());
            for (_, phrase, since) in WORDS.iter().filter(|(of, ..)| *of == kind) {
                let says = |some: &[Token<'_>]| some.iter().zip(*phrase).all(|(word, part)| is(word, part));
                if words.windows(phrase.len()).any(says) {
                    let said: Vec<_> = phrase.iter().copied().filter(|part| *part != "=").collect();
                    self.needs(at, &said.join(" "), *since);
                }
            }
            let opened = |after: &str| words.windows(2).any(|w| w[1].text == "(" && !is(&w[0], after));
            if kind == ObjectKind::Other && at.name().as_str().starts_with("publication ") && opened("WITH") {
                self.needs(at, "a publication of some columns or rows", versions::PARTS_PUBLISHED);
            }
            let on = words.iter().position(|word| is(word, "ON")).unwrap_or(words.len());
            if kind == ObjectKind::Statistics && words[on..].iter().any(|word| word.text == "(") {
                self.needs(at, "a statistics object of expressions", versions::STATISTICS_OF_EXPRESSIONS);
            }
        }
    }
}

/// The tokens of a text that mean something.
fn words(text: &str) -> Vec<Token<'_>> {
    tokens(text).filter(|token| token.kind != TokenKind::Blank).collect()
}

/// Whether a token is a word or a sign, however it is written.
fn is(token: &Token<'_>, word: &str) -> bool {
    token.text.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(at: &str, create: &str, version: u32) -> Vec<String> {
        let mut schema = Schema::default();
        let source = Source { create: vec![Sql::new(create)], needs: Default::default() };
        schema.objects.insert(at.parse().unwrap(), Object::new(Body::Source(source)).into());
        all(&schema, version).into_iter().map(|complaint| complaint.says).collect()
    }

    #[test]
    fn words_of_newer_servers_are_found_where_they_are_code() {
        for (at, create, since, what) in [
            (
                "function public.f()",
                "CREATE FUNCTION public.f() RETURNS int BEGIN ATOMIC; SELECT 1; END",
                14,
                "BEGIN ATOMIC",
            ),
            (
                "procedure public.p(OUT a integer)",
                "CREATE PROCEDURE public.p(OUT a integer) AS 'select 1'",
                14,
                "an OUT argument of a procedure",
            ),
            (
                "statistics public.s",
                "CREATE STATISTICS public.s ON a, (b + 1) FROM t",
                14,
                "a statistics object of expressions",
            ),
            ("object \"publication p\"", "CREATE PUBLICATION p FOR TABLES IN SCHEMA s", 15, "TABLES IN SCHEMA"),
            (
                "object \"publication p\"",
                "CREATE PUBLICATION p FOR TABLE t (a) WITH (publish = 'x')",
                15,
                "a publication of some columns or rows",
            ),
        ] {
            assert_eq!(lacking(at, create, since), [""; 0], "{create}");
            let says = format!("{what} needs PostgreSQL {since}, and this is PostgreSQL 13");
            assert_eq!(lacking(at, create, 13), [says], "{create}");
        }
        for (at, create) in [
            ("function public.f()", "CREATE FUNCTION public.f() RETURNS text AS $$ begin atomic $$"),
            ("statistics public.s", "CREATE STATISTICS public.s (ndistinct) ON a, b FROM t"),
            ("object \"publication p\"", "CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert')"),
        ] {
            assert_eq!(lacking(at, create, 13), [""; 0], "{create}");
        }
    }
}
