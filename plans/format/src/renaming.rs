//! How the rename of an object of a schema shows in the texts that a server keeps parsed and writes out anew.

use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Body, Object},
    sql::{Sql, Token, TokenKind, tokens},
};

/// A rename, and how the engine quotes names.
pub struct Renaming<'a> {
    /// What is renamed.
    pub from: &'a Address,
    /// What it is then; in another schema, or under another name, or both.
    pub to: &'a Address,
    /// The engine's way to write a name.
    pub quote: &'a dyn Fn(&Name) -> String,
}

impl Renaming<'_> {
    /// The object with all its texts and types as they are after the rename. An object that is named in its own definition says its new
    /// name there. Bodies of routines are strings to a server, and stay.
    #[must_use]
    pub fn object(&self, at: &Address, object: &Object) -> Object {
        let mut object = object.clone();
        if at == self.to && at.is_member() {
            if let Body::Source(source) = &mut object.body {
                source.create.iter_mut().for_each(|sql| *sql = self.own_name(sql));
            }
            return object;
        }
        object.each_text(&mut |sql| *sql = Sql::new(self.text(sql.as_str())));
        object.each_type(&mut |word| *word = self.text(word));
        object
    }

    /// An address whose name is made of types or of other names: a routine with its arguments, a cast.
    #[must_use]
    pub fn address(&self, at: &Address) -> Option<Address> {
        let renamed = match (at.kind(), at.signature()) {
            (kind, Some(signature)) => Address::routine(kind, &at.qualified(), self.text(signature)),
            (ObjectKind::Other, None) => {
                Address::global(ObjectKind::Other, Name::new(self.text(at.name().as_str())).ok()?)
            }
            _ => return None,
        };
        (renamed != *at).then_some(renamed)
    }

    /// A text after the rename.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if self.from.kind() == ObjectKind::Namespace {
            return self.schema_in(text);
        }
        let (from, to) = (self.from.qualified(), self.to.qualified());
        let (Some(schema), Some(new)) = (&from.schema, &to.schema) else {
            return Sql::new(text).with_name_replaced(&from.name, &to.name, self.quote).0;
        };
        let (parts, solid) = cut(text);
        let word = |nth: usize| solid.get(nth).and_then(|at: &usize| parts[*at].identifier());
        let is = |nth: usize, name: &Name| word(nth).is_some_and(|w| w == name.as_str());
        let sign = |nth: usize, sign: &str| solid.get(nth).is_some_and(|at| parts[*at].text == sign);
        let after_dot = |nth: usize| nth > 0 && sign(nth - 1, ".");
        let path = |nth: usize| is(nth, schema) && sign(nth + 1, ".") && is(nth + 2, &from.name) && !after_dot(nth);
        // A table's name stands before its columns, unless somebody gave it an alias that happens to be the same.
        let aliased = (0..solid.len()).any(|nth| {
            path(nth) && (is(nth + 3, &from.name) || word(nth + 3).as_deref() == Some("as") && is(nth + 4, &from.name))
        });
        let prefixes = self.is_relation() && !aliased;
        let mut out: Vec<String> = parts.iter().map(|token| token.text.to_owned()).collect();
        for nth in 0..solid.len() {
            if path(nth) {
                out[solid[nth]] = (self.quote)(new);
                out[solid[nth + 2]] = (self.quote)(&to.name);
            } else if prefixes && is(nth, &from.name) && sign(nth + 1, ".") && !after_dot(nth) {
                out[solid[nth]] = (self.quote)(&to.name);
            } else if parts[solid[nth]].kind == TokenKind::Text && is_object_literal(nth, &word, &sign) {
                let renamed = literal_content(parts[solid[nth]].text).map(|path| self.text(&path));
                if let Some(renamed) = renamed {
                    out[solid[nth]] = format!("'{}'", renamed.replace('\'', "''"));
                }
            }
        }
        out.concat()
    }

    /// A text in which a schema has its new name.
    fn schema_in(&self, text: &str) -> String {
        let (parts, solid) = cut(text);
        let word = |nth: usize| solid.get(nth).and_then(|at: &usize| parts[*at].identifier());
        let sign = |nth: usize, sign: &str| solid.get(nth).is_some_and(|at| parts[*at].text == sign);
        let mut out: Vec<String> = parts.iter().map(|token| token.text.to_owned()).collect();
        for nth in 0..solid.len() {
            let after_dot = nth > 0 && sign(nth - 1, ".");
            if !after_dot && sign(nth + 1, ".") && word(nth).is_some_and(|w| w == self.from.name().as_str()) {
                out[solid[nth]] = (self.quote)(self.to.name());
            } else if parts[solid[nth]].kind == TokenKind::Text && is_object_literal(nth, &word, &sign) {
                let renamed = literal_content(parts[solid[nth]].text).map(|path| self.text(&path));
                if let Some(renamed) = renamed {
                    out[solid[nth]] = format!("'{}'", renamed.replace('\'', "''"));
                }
            }
        }
        out.concat()
    }

    fn is_relation(&self) -> bool {
        use ObjectKind::{MaterializedView, Sequence, Table, View};
        matches!(self.from.kind(), Table | View | MaterializedView | Sequence)
    }

    /// The definition of a trigger, policy or rule under its new name: the name follows the word for its kind.
    fn own_name(&self, sql: &Sql) -> Sql {
        let (parts, solid) = cut(sql.as_str());
        let kind = self.from.kind().slug();
        let place = solid.windows(2).find(|pair| parts[pair[0]].text.eq_ignore_ascii_case(kind)).map(|pair| pair[1]);
        let mut out: Vec<String> = parts.iter().map(|token| token.text.to_owned()).collect();
        if let Some(place) = place.filter(|at| parts[*at].identifier().as_deref() == Some(self.from.name().as_str())) {
            out[place] = (self.quote)(self.to.name());
        }
        Sql::new(out.concat())
    }
}

/// The tokens of a text, and the places of those that are neither space nor comment.
fn cut(text: &str) -> (Vec<Token<'_>>, Vec<usize>) {
    let parts: Vec<Token<'_>> = tokens(text).collect();
    let solid = (0..parts.len()).filter(|at| parts[*at].kind != TokenKind::Blank).collect();
    (parts, solid)
}

/// Whether the token is a literal that is cast to a kind of object: `'app.ids'::regclass`. PostgreSQL keeps those as object ids
/// (manual, "Object Identifier Types"), so they follow a rename.
fn is_object_literal(nth: usize, word: &dyn Fn(usize) -> Option<String>, sign: &dyn Fn(usize, &str) -> bool) -> bool {
    const KINDS: &[&str] = &["regclass", "regtype", "regproc", "regprocedure"];
    sign(nth + 1, "::") && word(nth + 2).is_some_and(|w| KINDS.contains(&w.as_str()))
}

/// What a plain string literal says.
fn literal_content(token: &str) -> Option<String> {
    Some(token.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
}

impl Address {
    /// The same place once its schema is called otherwise; `None` if it is not in that schema.
    #[must_use]
    pub fn with_schema_renamed(&self, from: &Name, to: &Name) -> Option<Self> {
        use ObjectKind::{DefaultPrivileges, EventTrigger, Extension, Namespace, Opaque, Other};
        let global = matches!(self.kind(), Namespace | Extension | EventTrigger | Other | DefaultPrivileges | Opaque);
        if global || self.path().len() < 2 || self.path()[0] != *from {
            return None;
        }
        let of = Qualified::new(Some(to.clone()), self.qualified().name);
        Some(match (self.is_member(), self.signature()) {
            (true, _) => Self::member(self.kind(), &of, self.name().clone()),
            (false, Some(signature)) => Self::routine(self.kind(), &of, signature),
            (false, None) => Self::new(self.kind(), &of),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(kind: ObjectKind, from: &str, to: &str, text: &str) -> String {
        let address = |path: &str| -> Address { format!("{kind} {path}").parse().unwrap() };
        let quote = |name: &Name| name.as_str().to_owned();
        Renaming { from: &address(from), to: &address(to), quote: &quote }.text(text)
    }

    #[test]
    fn paths_aliases_and_object_literals_follow() {
        for (kind, from, to, text, then) in [
            (ObjectKind::Enum, "app.mood", "app.temper", "'mood'::app.mood[]", "'mood'::app.temper[]"),
            (ObjectKind::Sequence, "app.ids", "b.nums", "nextval('app.ids'::regclass)", "nextval('b.nums'::regclass)"),
            (
                ObjectKind::Table,
                "app.users",
                "b.people",
                "SELECT users.id, o.users FROM app.users, x.users o WHERE users",
                "SELECT people.id, o.users FROM b.people, x.users o WHERE users",
            ),
            (ObjectKind::Table, "a.t", "a.u", "SELECT t.id FROM a.t t", "SELECT t.id FROM a.u t"),
            (ObjectKind::Function, "a.f()", "a.g()", "a.f(f.x) + f.f(1) + f(2)", "a.g(f.x) + f.f(1) + f(2)"),
            (
                ObjectKind::Namespace,
                "a",
                "b",
                "a.a || x.a.y || 'a.t' || 'a.t'::regclass",
                "b.a || x.a.y || 'a.t' || 'b.t'::regclass",
            ),
        ] {
            assert_eq!(renamed(kind, from, to, text), then);
        }
    }

    #[test]
    fn a_trigger_says_its_own_new_name() {
        let address = |name: &str| -> Address { format!("trigger app.users.{name}").parse().unwrap() };
        let quote = |name: &Name| name.as_str().to_owned();
        let (from, to) = (address("t"), address("u"));
        let renaming = Renaming { from: &from, to: &to, quote: &quote };
        let sql = Sql::new("CREATE TRIGGER t BEFORE INSERT ON app.t EXECUTE FUNCTION app.t()");
        assert_eq!(
            renaming.own_name(&sql).as_str(),
            "CREATE TRIGGER u BEFORE INSERT ON app.t EXECUTE FUNCTION app.t()"
        );
    }
}
