//! Which objects without a kind of their own a definition names: operators, text search configurations, servers and the like.

use std::collections::BTreeSet;

use crate::dialect::operators;
use mig_plan::{
    Address, Name, ObjectKind, Schema, Sql,
    sql::{TokenKind, tokens},
};

/// Those among the objects of a schema that the texts of the object at `at` name.
pub(super) fn named_in(at: &Address, texts: &[Sql], schema: &Schema) -> BTreeSet<Address> {
    let others = schema.objects.of_kind(ObjectKind::Other).map(|(other, _)| other).filter(|other| *other != at);
    others.filter(|other| texts.iter().any(|text| names(at, text, other.name().as_str()))).cloned().collect()
}

/// Whether a text names the object that `DROP` calls `what`.
fn names(at: &Address, text: &Sql, what: &str) -> bool {
    let rest = |word: &str| what.strip_prefix(word).and_then(|r| r.strip_prefix(' '));
    let own = |word: &str| at.kind() == ObjectKind::Other && at.name().as_str().starts_with(word);
    let mentions = |name: Option<String>| name.and_then(|n| Name::new(n).ok()).is_some_and(|n| text.mentions(&n));
    let searched = |path: &str| {
        let name = last_name(path);
        mentions(name.clone()) || name.is_some_and(|n| in_a_literal(text, &n))
    };
    // Things of two kinds may have one name, and each text has its own: only what can be named by it counts.
    if let Some(path) = rest("text search configuration") {
        return !own("text search") && searched(path);
    }
    if let Some(path) = rest("text search dictionary") {
        return !own("text search dictionary") && searched(path);
    }
    if let Some(path) = rest("operator class") {
        return at.kind() != ObjectKind::Other && mentions(last_name(path));
    }
    if let Some(path) = rest("operator family") {
        return own("operator class") && mentions(last_name(path));
    }
    if let Some(path) = rest("access method") {
        return !own("access method") && mentions(last_name(path));
    }
    if let Some(path) = rest("operator") {
        // Bodies of routines are not looked into when they are made.
        let routine = matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure);
        let sign = path.split('(').next().and_then(|p| p.trim().rsplit('.').next()).unwrap_or_default();
        let listed = own("operator class") || own("operator family");
        let ends = |rest: &str| {
            let next = rest.chars().next();
            next == Some(')') || (listed && next.is_none_or(|c| !operators::SIGNS.contains(c)))
        };
        let name = format!(".{sign}");
        let mut found = text.as_str().match_indices(&name).map(|(i, _)| &text.as_str()[i + name.len()..]);
        return !routine && (listed || !own("operator ")) && found.any(ends);
    }
    if let Some(path) = rest("foreign table") {
        return (at.kind() != ObjectKind::Other || own("publication")) && mentions(last_name(path));
    }
    if let Some(path) = rest("server") {
        return (own("foreign table") || own("user mapping")) && mentions(last_name(path));
    }
    if let Some(path) = rest("foreign data wrapper") {
        return own("server") && mentions(last_name(path));
    }
    rest("language").is_some_and(|path| {
        matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure) && mentions(last_name(path))
    })
}

/// The last name of the first dotted path of a text.
fn last_name(path: &str) -> Option<String> {
    let mut last = None;
    let mut words = tokens(path).filter(|t| t.kind != TokenKind::Blank);
    while let Some(name) = words.next().and_then(|word| word.identifier()) {
        last = Some(name);
        if words.next().is_none_or(|sign| sign.text != ".") {
            break;
        }
    }
    last
}

/// Whether a string of the text is a path that ends with a name: `'public.german'::regconfig`.
fn in_a_literal(text: &Sql, name: &str) -> bool {
    let literals = tokens(text.as_str()).filter(|t| t.kind == TokenKind::Text);
    literals
        .filter_map(|t| t.text.strip_prefix('\'')?.strip_suffix('\''))
        .any(|inner| last_name(inner).as_deref() == Some(name))
}
