//! Which casts there are: the server's own (`pg_cast` of every supported version), those that follow from the kind of a type, and those
//! that the database declares.

use std::collections::BTreeSet;

use mig_plan::{Address, Body, Name, ObjectKind, Qualified, Schema, split_path};

use crate::dialect::names::qualified;

/// Casts between built-in types, beside those through text that every type has.
const BUILT_IN: &[(&str, &[&str])] = &[
    ("bigint", &["smallint", "integer", "oid", "real", "double precision", "money", "bit", "numeric"]),
    ("bit", &["bigint", "integer", "bit varying"]),
    ("bit varying", &["bit"]),
    ("boolean", &["integer"]),
    ("box", &["point", "lseg", "polygon", "circle"]),
    ("cidr", &["inet"]),
    ("circle", &["point", "box", "polygon"]),
    ("date", &["timestamp without time zone", "timestamp with time zone"]),
    ("double precision", &["bigint", "smallint", "integer", "real", "numeric"]),
    ("inet", &["cidr"]),
    ("integer", &["boolean", "bigint", "smallint", "oid", "real", "double precision", "money", "bit", "numeric"]),
    ("interval", &["time without time zone"]),
    ("json", &["jsonb"]),
    ("jsonb", &["boolean", "bigint", "smallint", "integer", "json", "real", "double precision", "numeric"]),
    ("lseg", &["point"]),
    ("macaddr", &["macaddr8"]),
    ("macaddr8", &["macaddr"]),
    ("money", &["numeric"]),
    ("numeric", &["bigint", "smallint", "integer", "real", "double precision", "money"]),
    ("oid", &["bigint", "integer"]),
    ("path", &["polygon"]),
    ("point", &["box"]),
    ("polygon", &["point", "path", "box", "circle"]),
    ("real", &["bigint", "smallint", "integer", "double precision", "numeric"]),
    ("smallint", &["bigint", "integer", "oid", "real", "double precision", "numeric"]),
    ("time with time zone", &["time without time zone"]),
    ("time without time zone", &["interval", "time with time zone"]),
    (
        "timestamp with time zone",
        &["date", "time without time zone", "timestamp without time zone", "time with time zone"],
    ),
    ("timestamp without time zone", &["date", "time without time zone", "timestamp with time zone"]),
];

/// Built-in types that have no cast but through text, or that only others have casts to.
const OTHERS: &[&str] = &[
    "bytea",
    "uuid",
    "xml",
    "line",
    "tsvector",
    "tsquery",
    "pg_lsn",
    "jsonpath",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
];

/// Types whose values are texts: every type can be made of one, and one of every type.
pub(crate) fn is_text(name: &str) -> bool {
    matches!(name, "text" | "character varying" | "character" | "name" | "public.citext")
}

/// How many domains may rest on one another.
const MOST_DOMAINS: usize = 16;

/// Whether the server can cast one type to the other, as far as it can be told: what nobody knows counts as a cast.
pub(crate) fn exists(from: &str, to: &str, schema: &Schema) -> bool {
    let (from, to) = (base_of(from, schema), base_of(to, schema));
    let (a, b) = (super::parts(&from), super::parts(&to));
    if declared(&a.name, &b.name, schema) {
        return true;
    }
    match (a.array, b.array) {
        (true, false) => is_text(&b.name),
        (false, true) => is_text(&a.name),
        (true, true) | (false, false) => between(&a.name, &b.name, schema),
    }
}

fn between(from: &str, to: &str, schema: &Schema) -> bool {
    if from == to || is_text(from) || is_text(to) {
        return true;
    }
    let own = |name: &str| user_type(name, schema).is_some_and(|body| !matches!(body, Body::Domain(_)));
    let built_in = |name: &str| BUILT_IN.iter().any(|(of, _)| *of == name) || OTHERS.contains(&name);
    if own(from) || own(to) {
        // An enum, a composite type or a range has only the casts that somebody declared.
        return !(own(from) || built_in(from)) || !(own(to) || built_in(to));
    }
    let casts = BUILT_IN.iter().find(|(of, _)| *of == from).is_some_and(|(_, targets)| targets.contains(&to));
    casts || !(built_in(from) && built_in(to))
}

/// Whether the database has a cast of its own between two types, or may have: its name says both.
fn declared(from: &str, to: &str, schema: &Schema) -> bool {
    let last = |text: &str| split_path(text).ok().and_then(|mut path| path.pop());
    let (Some(from), Some(to)) = (last(from), last(to)) else { return false };
    if from == to {
        return false;
    }
    schema.objects.keys().filter(|at| is_cast(at)).any(|at| {
        let says = mig_plan::Sql::new(at.name().as_str());
        let named = |name: &Name| says.mentions(name) || at.name().as_str().contains(name.as_str());
        named(&from) && named(&to)
    })
}

fn is_cast(at: &Address) -> bool {
    match at.kind() {
        ObjectKind::Other => at.name().as_str().starts_with("cast "),
        kind => kind == ObjectKind::Opaque && at.path().first().is_some_and(|what| what.as_str() == "cast"),
    }
}

/// The type that a domain rests on in the end, with the array that it may be.
pub(crate) fn base_of(data_type: &str, schema: &Schema) -> String {
    let mut now = data_type.to_owned();
    for _ in 0..MOST_DOMAINS {
        match user_type(&now, schema) {
            Some(Body::Domain(domain)) => now.clone_from(&domain.base),
            _ => break,
        }
    }
    now
}

/// The enum, domain or other type of the schema that a type's name means; arrays mean none.
pub(crate) fn user_type<'a>(data_type: &str, schema: &'a Schema) -> Option<&'a Body> {
    let at = path_of(data_type)?;
    [ObjectKind::Enum, ObjectKind::Domain, ObjectKind::Type]
        .iter()
        .find_map(|kind| schema.objects.get(&Address::new(*kind, &at)))
        .map(|object| &object.body)
}

fn path_of(data_type: &str) -> Option<Qualified> {
    let mut path = split_path(data_type).ok()?;
    let at = Qualified::new(None, path.pop()?);
    let at = Qualified::new(path.pop(), at.name);
    (qualified(&at) == data_type).then_some(at)
}

/// The labels of an enum.
pub(crate) fn labels<'a>(data_type: &str, schema: &'a Schema) -> Option<&'a [String]> {
    match user_type(data_type, schema) {
        Some(Body::Enum { values }) => Some(values),
        _ => None,
    }
}

/// The functions of a schema by name, which a query before the first write may not find.
pub(crate) fn functions(schema: &Schema) -> BTreeSet<&Name> {
    schema.objects.keys().filter(|at| at.kind() == ObjectKind::Function).map(Address::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mig_plan::{
        Object,
        schema::{Domain, Source},
    };

    fn add(schema: &mut Schema, kind: ObjectKind, name: &str, body: Body) {
        let at = Qualified::new(Name::new("public").ok(), Name::new(name).unwrap());
        schema.objects.insert(Address::new(kind, &at), Object::new(body).into());
    }

    #[test]
    fn knows_which_casts_there_are() {
        let mut schema = Schema::default();
        add(&mut schema, ObjectKind::Enum, "mood", Body::Enum { values: vec![] });
        let base = "integer".to_owned();
        let domain = Domain {
            base,
            not_null: false,
            default: None,
            collation: None,
            checks: Default::default(),
            comments: Default::default(),
        };
        add(&mut schema, ObjectKind::Domain, "count", Body::Domain(domain));
        let source = Source { create: vec![], needs: Default::default() };
        add(&mut schema, ObjectKind::Type, "pair", Body::Source(source));
        let cast = Address::new(
            ObjectKind::Opaque,
            &Qualified::new(Name::new("cast").ok(), Name::new("(public.pair AS integer)").unwrap()),
        );
        let opaque = Body::Opaque { what: "cast".to_owned(), digest: String::new() };
        schema.objects.insert(cast, Object::new(opaque).into());
        for (from, to, there) in [
            ("integer", "bigint", true),
            ("integer", "timestamp with time zone", false),
            ("timestamp with time zone", "bigint", false),
            ("timestamp(3) with time zone", "date", true),
            ("boolean", "bigint", false),
            ("boolean", "integer", true),
            ("uuid", "bigint", false),
            ("text", "uuid", true),
            ("uuid", "character varying(40)", true),
            ("character varying(10)", "integer[]", true),
            ("integer", "integer[]", false),
            ("text[]", "integer[]", true),
            ("uuid[]", "integer[]", false),
            ("public.mood", "integer", false),
            ("public.mood", "text", true),
            ("integer", "public.mood", false),
            ("public.count", "bigint", true),
            ("public.count", "uuid", false),
            ("uuid", "public.count", false),
            ("public.pair", "integer", true),
            ("public.pair", "uuid", false),
            ("public.hstore", "jsonb", true),
        ] {
            assert_eq!(exists(from, to, &schema), there, "{from} -> {to}");
        }
    }
}
