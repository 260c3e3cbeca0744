//! What a definition needs to exist, found in its tokens.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql,
    schema::{Index, IndexedBy},
    sql::TokenKind,
};

use super::{
    lex::{self, Tok},
    names, text,
};

/// Whether a view, or a trigger of one, reads a column that gets another name through something that has columns of its own: another view, or a query within
/// it. Their names follow that of the column, and SQLite, which writes the new name only where the column itself is meant, refuses that.
pub(crate) fn outdated(at: &Address, object: &Object, base: &Schema, columns: &BTreeMap<Address, Name>) -> bool {
    let says = |sql: &Sql| {
        let words: Vec<_> = lex::tokens(sql.as_str()).iter().filter_map(Tok::identifier).collect();
        let said = |was: &Name| words.iter().any(|word| word.eq_ignore_ascii_case(was.as_str()));
        columns.iter().any(|(now, was)| !names::same(now.name(), was) && said(was))
    };
    match &object.body {
        Body::View(view) => {
            let within = lex::tokens(view.query.as_str()).iter().filter(|token| token.is_word("select")).count() > 1;
            let over = || references(at, object, base).iter().any(|need| need.kind() == ObjectKind::View);
            says(&view.query) && (within || over())
        }
        Body::Source(source) => {
            let on_view = at.relation().is_some_and(|of| base.contains(&Address::new(ObjectKind::View, &of)));
            on_view && source.create.iter().any(says)
        }
        _ => false,
    }
}

/// What an object's definition needs among the objects and columns of a schema.
pub(crate) fn references(at: &Address, object: &Object, schema: &Schema) -> BTreeSet<Address> {
    let mut out = match &object.body {
        Body::Table(_) => parents(&at.qualified(), object, schema),
        Body::Index(index) => of_index(index, schema),
        Body::View(view) => of_text(&view.query, None, schema),
        Body::Source(source) => {
            let relation = at.relation();
            let texts = source.create.iter().flat_map(|sql| of_text(sql, relation.as_ref(), schema));
            let mut all: BTreeSet<_> = texts.collect();
            all.extend(relation.and_then(|of| relation_address(&of.name, schema)));
            all.extend(source.needs.iter().cloned());
            all
        }
        _ => BTreeSet::new(),
    };
    out.remove(at);
    if at.kind() == ObjectKind::Table {
        out.retain(|need| need.holder() != *at);
    }
    out
}

/// The tables that a table's foreign keys refer to. Those that refer back are left out: SQLite lets a table be made before its
/// parents, so a circle is no obstacle.
fn parents(table: &Qualified, object: &Object, schema: &Schema) -> BTreeSet<Address> {
    let Body::Table(own) = &object.body else { return BTreeSet::new() };
    let direct = own.constraints.values().filter_map(|c| c.foreign_key()).map(|fk| fk.references.clone());
    direct
        .filter(|parent| schema.table(parent).is_some() && !reaches(parent, table, schema))
        .map(|parent| Address::table(&parent))
        .collect()
}

/// Whether one table refers to another, over any number of foreign keys; a table reaches itself.
fn reaches(from: &Qualified, to: &Qualified, schema: &Schema) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![from.clone()];
    while let Some(at) = todo.pop() {
        if at == *to {
            return true;
        }
        if let Some(table) = schema.table(&at).filter(|_| seen.insert(at.clone())) {
            let keys = table.constraints.values().filter_map(|c| c.foreign_key());
            todo.extend(keys.map(|fk| fk.references.clone()));
        }
    }
    false
}

fn of_index(index: &Index, schema: &Schema) -> BTreeSet<Address> {
    let mut out: BTreeSet<_> = [Address::table(&index.table)].into();
    let Some(table) = schema.table(&index.table) else { return out };
    let mut mentioned = BTreeSet::new();
    for part in &index.parts {
        match &part.what {
            IndexedBy::Column(name) => {
                mentioned.insert(name.clone());
            }
            IndexedBy::Expression(sql) => mentioned.extend(text::mentions(sql)),
        }
    }
    mentioned.extend(index.predicate.iter().flat_map(text::mentions));
    let columns = table.columns.iter().filter(|c| mentioned.iter().any(|m| names::same(m, &c.name)));
    out.extend(columns.map(|c| Address::column(&index.table, &c.name)));
    out
}

/// The address of the relation of that name, in any case of letters.
fn relation_address(name: &Name, schema: &Schema) -> Option<Address> {
    let relation = |at: &&Address| {
        matches!(at.kind(), ObjectKind::Table | ObjectKind::View | ObjectKind::VirtualTable)
            && names::same(at.name(), name)
    };
    schema.objects.keys().find(relation).cloned()
}

/// The relations that a text mentions, and of those that are tables the columns.
fn of_text(sql: &Sql, relation: Option<&Qualified>, schema: &Schema) -> BTreeSet<Address> {
    let tokens = lex::tokens(sql.as_str());
    let mut scope = Scope::new(&tokens, schema);
    if let Some(address) = relation.and_then(|of| relation_address(&of.name, schema)) {
        scope.known.insert("new".to_owned(), address.clone());
        scope.known.insert("old".to_owned(), address.clone());
        scope.found.insert(address);
    }
    let mut out = scope.found.clone();
    for (at, token) in tokens.iter().enumerate() {
        let Some(identifier) = token.identifier() else { continue };
        let qualifier = (at >= 2 && tokens[at - 1].is_sign(".")).then(|| tokens[at - 2].identifier()).flatten();
        let owner = qualifier.and_then(|q| scope.known.get(&q.to_ascii_lowercase()));
        let candidates: Vec<_> = owner.map_or_else(|| scope.found.iter().collect(), |one| vec![one]);
        for relation in candidates {
            out.extend(shown(relation, &identifier, schema, &mut BTreeSet::new()));
        }
    }
    out
}

/// The columns of tables that a relation shows under a name: its own, or through a `*`, where the name of the column is that of the view's.
fn shown(relation: &Address, name: &str, schema: &Schema, seen: &mut BTreeSet<Address>) -> Vec<Address> {
    if let Some(table) = schema.table(&relation.qualified()) {
        let column = table.columns.iter().find(|c| c.name.as_str().eq_ignore_ascii_case(name));
        return column.map(|c| Address::column(&relation.qualified(), &c.name)).into_iter().collect();
    }
    let Some(Body::View(view)) = schema.objects.get(relation).map(|object| &object.body) else { return Vec::new() };
    let tokens = lex::tokens(view.query.as_str());
    if !shows_all(&tokens) || !seen.insert(relation.clone()) {
        return Vec::new();
    }
    let below = Scope::new(&tokens, schema).found;
    below.iter().flat_map(|below| shown(below, name, schema, seen)).collect()
}

/// Whether a query says `*` for columns.
fn shows_all(tokens: &[Tok<'_>]) -> bool {
    tokens.windows(2).any(|pair| {
        let word = |word: &&str| pair[0].is_word(word);
        let begins = ["select", "distinct", "all"].iter().any(word) || pair[0].is_sign(",") || pair[0].is_sign(".");
        begins && pair[1].is_sign("*")
    })
}

/// Which relations a text speaks of, and under which names.
struct Scope {
    found: BTreeSet<Address>,
    known: BTreeMap<String, Address>,
}

impl Scope {
    fn new(tokens: &[Tok<'_>], schema: &Schema) -> Self {
        let mut scope = Self { found: BTreeSet::new(), known: BTreeMap::new() };
        for (at, token) in tokens.iter().enumerate() {
            let Some(name) = token.name().filter(|_| introduces(tokens, at)) else { continue };
            let Some(address) = relation_address(&name, schema) else { continue };
            scope.found.insert(address.clone());
            scope.known.insert(name.as_str().to_ascii_lowercase(), address.clone());
            let after = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|t| t.is_word("as")));
            let alias = tokens.get(after).filter(|t| t.kind == TokenKind::Quoted || !names::is_keyword(t.text));
            if let Some(alias) = alias.and_then(Tok::identifier) {
                scope.known.insert(alias.to_ascii_lowercase(), address);
            }
        }
        scope
    }
}

/// Whether the token at a place can name a relation: after FROM, JOIN, INTO, UPDATE, ON, TABLE, IN or a comma.
fn introduces(tokens: &[Tok<'_>], at: usize) -> bool {
    let mut before = at;
    while before >= 2 && tokens[before - 1].is_sign(".") {
        before -= 2;
    }
    let Some(previous) = before.checked_sub(1).map(|i| &tokens[i]) else { return false };
    const WORDS: &[&str] = &[
        "from",
        "join",
        "into",
        "update",
        "on",
        "table",
        "in",
        "ignore",
        "replace",
        "abort",
        "fail",
        "rollback",
        "delete",
        "references",
    ];
    WORDS.iter().any(|word| previous.is_word(word)) || previous.is_sign(",") || previous.is_sign("(")
}

/// What else in a schema says the name of a column: constraints, indexes, generated columns, views, triggers; so that SQLite
/// would refuse to drop it, or worse.
pub(crate) fn users_of_column(table: &Qualified, column: &Name, schema: &Schema) -> Vec<Address> {
    let mut users = Vec::new();
    for (at, object) in &schema.objects {
        let uses = match &object.body {
            Body::Table(other) => {
                let own = *at == Address::table(table);
                let named = other.constraints.values().any(|c| match &c.rule {
                    Rule::ForeignKey(fk) => {
                        own && fk.columns.iter().any(|n| names::same(n, column))
                            || fk.references == *table && fk.referenced.iter().any(|n| names::same(n, column))
                    }
                    _ => own && c.columns().iter().any(|n| names::same(n, column)),
                });
                named || own && object.texts().iter().any(|sql| text::says(sql, column))
            }
            Body::Index(index) => {
                index.table == *table && of_index(index, schema).contains(&Address::column(table, column))
            }
            _ => references(at, object, schema).contains(&Address::column(table, column)),
        };
        if uses {
            users.push(at.clone());
        }
    }
    users
}
