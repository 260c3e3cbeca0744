//! What operators say of each other. A commutator or negator is a link between two operators, and the server keeps it in both from the
//! moment when the second one is made until one of them goes (manual, 38.15 Operator Optimization Information). Here it belongs to one of
//! them, the one whose name comes later, so that making or dropping that one changes nothing of the other, and there is no circle.

use std::sync::Arc;

use mig_plan::{
    Address, Body, Name, Object, ObjectKind, Schema, Sql,
    sql::{TokenKind, tokens},
};

use super::names::quote;

/// All characters of which operators are made (manual, 4.1.3 Operators).
pub(super) const SIGNS: &str = "+-*/<>=~!@#%^&|`?";

/// Who says the links of a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// A catalog: each link in both, save where one side has found another partner since.
    Live,
    /// A person: in both or in either, which makes the same.
    Declared,
}

/// Leaves each link to the operator whose name comes later.
pub(crate) fn tell_once(schema: &mut Schema, said: Said) {
    let all: Vec<Address> = schema.objects.of_kind(ObjectKind::Other).map(|(at, _)| at.clone()).collect();
    for at in all {
        let Some(object) = schema.objects.get(&at) else { continue };
        let Some((operator, definition)) = read(&at, object) else { continue };
        for link in definition.links(&operator).filter(|link| link.partner > at) {
            let Some(partner) = schema.objects.get(&link.partner) else { continue };
            let Some((other, mut theirs)) = read(&link.partner, partner) else { continue };
            let back = theirs.links(&other).find(|back| back.word == link.word).map(|back| back.partner == at);
            match (back, said) {
                (Some(true), _) => {}
                (None, Said::Declared) => {
                    theirs.options.push(format!("{} = OPERATOR({})", link.word, operator.path));
                    theirs.write(&link.partner, schema);
                }
                _ => continue,
            }
            if let Some((_, mut own)) = schema.objects.get(&at).and_then(|object| read(&at, object)) {
                own.options.retain(|option| setting(option, link.word).is_none());
                own.write(&at, schema);
            }
        }
    }
}

/// The operators that an object's own definition links it to, among those of the schema.
pub(crate) fn linked(at: &Address, object: &Object, schema: &Schema) -> Vec<Address> {
    let Some((operator, definition)) = read(at, object) else { return Vec::new() };
    let there = |partner: &Address| partner != at && schema.objects.contains_key(partner);
    definition.links(&operator).map(|link| link.partner).filter(there).collect()
}

/// An operator as expressions of the catalog call it, if the address is that of one.
pub(super) fn call(at: &Address) -> Option<String> {
    Operator::of(at).map(|operator| format!("OPERATOR({})", operator.path))
}

/// An operator as `DROP OPERATOR` calls it.
struct Operator<'a> {
    path: &'a str,
    left: String,
    right: String,
}

impl<'a> Operator<'a> {
    fn of(at: &'a Address) -> Option<Self> {
        let (path, types) = at.name().as_str().strip_prefix("operator ")?.split_once('(')?;
        let path = path.trim();
        let sign = path.rsplit('.').next().unwrap_or_default();
        if at.kind() != ObjectKind::Other || sign.is_empty() || !sign.chars().all(|c| SIGNS.contains(c)) {
            return None;
        }
        let types = split(types.trim_end().strip_suffix(')')?);
        let [left, right] = types.try_into().ok()?;
        Some(Self { path, left, right })
    }

    /// The partner that a link of that word names.
    fn partner(&self, word: &str, named: &str) -> Option<Address> {
        let inner = named.get(..8).filter(|word| word.eq_ignore_ascii_case("operator")).and_then(|_| named.get(8..));
        let inner = inner.map_or(Some(named), |list| list.trim().strip_prefix('(')?.strip_suffix(')'))?.trim();
        let (schema, sign) = match inner.rsplit_once('.') {
            Some((schema, sign)) => (spelt(schema)?, sign),
            None => (self.path.rsplit_once('.')?.0.to_owned(), inner),
        };
        let (left, right) = if word == "COMMUTATOR" { (&self.right, &self.left) } else { (&self.left, &self.right) };
        let name = Name::new(format!("operator {schema}.{} ({left}, {right})", sign.trim())).ok()?;
        Some(Address::global(ObjectKind::Other, name))
    }
}

/// A name as mig spells it.
fn spelt(name: &str) -> Option<String> {
    let mut words = tokens(name).filter(|t| t.kind != TokenKind::Blank);
    let only = words.next().and_then(|word| word.identifier()).filter(|_| words.next().is_none())?;
    Some(quote(&Name::new(only).ok()?))
}

struct Link {
    word: &'static str,
    partner: Address,
}

/// `CREATE OPERATOR path (option, ...)`.
struct Definition {
    head: String,
    options: Vec<String>,
}

impl Definition {
    fn links(&self, of: &Operator<'_>) -> impl Iterator<Item = Link> {
        let found = ["COMMUTATOR", "NEGATOR"].into_iter().flat_map(|word| {
            let named = self.options.iter().filter_map(move |option| setting(option, word));
            named.filter_map(move |named| Some(Link { word, partner: of.partner(word, named)? }))
        });
        found.collect::<Vec<_>>().into_iter()
    }

    fn write(self, at: &Address, schema: &mut Schema) {
        if let Some(Body::Source(source)) = schema.objects.get_mut(at).map(|o| &mut Arc::make_mut(o).body)
            && let Some(first) = source.create.first_mut()
        {
            *first = Sql::new(format!("{}({})", self.head, self.options.join(", ")));
        }
    }
}

/// What an option says, if it is the one of that word.
fn setting<'a>(option: &'a str, word: &str) -> Option<&'a str> {
    let named = option.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word))?;
    Some(option[named.len()..].trim().strip_prefix('=')?.trim())
}

fn read<'a>(at: &'a Address, object: &Object) -> Option<(Operator<'a>, Definition)> {
    let operator = Operator::of(at)?;
    let Body::Source(source) = &object.body else { return None };
    let text = source.create.first()?.as_str().trim().trim_end_matches(';').trim_end();
    let (head, options) = text.split_once('(')?;
    let options = split(options.strip_suffix(')')?);
    Some((operator, Definition { head: head.to_owned(), options }))
}

/// The parts between the commas of a list that stand in no parentheses of their own.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for token in tokens(list) {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(token.text);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mig_plan::schema::Source;

    use super::*;

    fn at(name: &str) -> Address {
        Address::global(ObjectKind::Other, Name::new(name).unwrap())
    }

    fn told(first: &str, second: &str, said: Said) -> [String; 2] {
        let both = [("operator app.!== (integer, text)", first), ("operator app.=== (text, integer)", second)];
        let mut schema = Schema::default();
        for (name, text) in both {
            let source = Source { create: vec![Sql::new(text)], needs: BTreeSet::new() };
            schema.objects.insert(at(name), Object::new(Body::Source(source)).into());
        }
        tell_once(&mut schema, said);
        both.map(|(name, _)| schema.objects[&at(name)].texts()[0].as_str().to_owned())
    }

    #[test]
    fn a_link_belongs_to_the_later_one() {
        let first =
            "create operator app.!== (leftarg = integer, rightarg = text, Commutator = \"app\".===, function = app.ne)";
        let second = "CREATE OPERATOR app.=== (FUNCTION = app.eq, LEFTARG = text, RIGHTARG = integer)";
        let bare = "create operator app.!== (leftarg = integer, rightarg = text, function = app.ne)";
        let linked = "CREATE OPERATOR app.=== (FUNCTION = app.eq, LEFTARG = text, RIGHTARG = integer, COMMUTATOR = OPERATOR(app.!==))";
        assert_eq!(told(first, second, Said::Declared), [bare, linked]);
        assert_eq!(told(first, linked, Said::Live), [bare, linked]);
        assert_eq!(told(bare, linked, Said::Live), [bare, linked]);
        assert_eq!(told(first, second, Said::Live), [first, second], "the other has another partner, or none");
    }
}
