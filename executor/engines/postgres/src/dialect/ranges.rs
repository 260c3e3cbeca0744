//! Types of several ranges: the server makes one with each range type, and it has a name of its own.

use mig_plan::{
    Address, Body, Name, ObjectKind, Qualified, Schema,
    schema::Source,
    split_path,
    sql::{TokenKind, tokens},
};

use super::names;

/// The setting of a range type that names the type of several.
const SAID: &str = "multirange_type_name";

/// The type of several ranges that comes with a range type: where none is said, the server makes its name of that of the range
/// (makeMultirangeTypeName). `None` if the text makes another type.
pub(crate) fn multirange(at: &Address, source: &Source) -> Option<Qualified> {
    let create = source.create.first()?;
    let words = || tokens(create.as_str()).filter(|token| token.kind != TokenKind::Blank);
    words().find(|token| token.text.eq_ignore_ascii_case("range"))?;
    let range = at.qualified();
    let mut said = words().skip_while(|token| !token.text.eq_ignore_ascii_case(SAID)).skip(1).peekable();
    if said.next_if(|token| token.text == "=").is_some() {
        let path: String = said.take_while(|token| !matches!(token.text, "," | ")")).map(|token| token.text).collect();
        let mut path = split_path(&path).ok()?;
        let name = path.pop()?;
        return Some(Qualified::new(path.pop().or(range.schema), name));
    }
    let name = range.name.as_str();
    let made = match name.split_once("range") {
        Some((before, after)) => format!("{before}multirange{after}"),
        None => format!("{}_multirange", names::cut(name, 63 - "_multirange".len())),
    };
    Name::new(names::cut(&made, 63)).ok().map(|name| range.sibling(name))
}

/// What makes values of a range type: functions of its name, with what they take, that come with it and keep their names when it gets
/// another. Empty if the text makes another type.
pub(crate) fn makers(source: &Source) -> Vec<String> {
    let Some(create) = source.create.first() else { return Vec::new() };
    let words = || tokens(create.as_str()).filter(|token| token.kind != TokenKind::Blank);
    let is_range = words().any(|token| token.text.eq_ignore_ascii_case("range"));
    let mut said = tokens(create.as_str()).skip_while(|token| !token.text.eq_ignore_ascii_case("subtype"));
    let Some(_) = said.next().filter(|_| is_range) else { return Vec::new() };
    let mut depth = 0usize;
    let of = said.skip_while(|token| token.kind == TokenKind::Blank || token.text == "=").take_while(|token| {
        match token.text {
            "(" => depth += 1,
            ")" if depth > 0 => depth -= 1,
            ")" => return false,
            "," if depth == 0 => return false,
            _ => {}
        }
        true
    });
    let of: String = of.map(|token| token.text).collect();
    vec![format!("({0}, {0})", of.trim()), format!("({0}, {0}, text)", of.trim())]
}

/// The range type with which a type of several came.
pub(crate) fn range_of<'a>(several: &Qualified, schema: &'a Schema) -> Option<&'a Address> {
    let types = schema.objects.of_kind(ObjectKind::Type);
    let mut ranges = types.filter_map(|(at, object)| match &object.body {
        Body::Source(source) => Some((at, multirange(at, source)?)),
        _ => None,
    });
    ranges.find(|(_, found)| found == several).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mig_plan::Sql;

    fn of(name: &str, create: &str) -> Option<String> {
        let at = Address::new(ObjectKind::Type, &Qualified::new(Name::new("s").ok(), Name::new(name).unwrap()));
        let source = Source { create: vec![Sql::new(create)], needs: Default::default() };
        multirange(&at, &source).map(|found| found.to_string())
    }

    #[test]
    fn a_range_type_brings_one_of_several() {
        let plain = "CREATE TYPE s.r AS RANGE (subtype = integer)";
        assert_eq!(of("span", plain).as_deref(), Some("s.span_multirange"));
        assert_eq!(of("timerange", plain).as_deref(), Some("s.timemultirange"));
        let said = "create type s.r as range (subtype=int8, Multirange_Type_Name = x.\"M r\", subtype_diff = f)";
        assert_eq!(of("r", said).as_deref(), Some("x.\"M r\""));
        assert_eq!(of("r", "create type s.r as range (multirange_type_name=mr)").as_deref(), Some("s.mr"));
        assert_eq!(of("c", "CREATE TYPE s.c AS (a integer)"), None);
        let numbers = "CREATE TYPE s.r AS RANGE (subtype = numeric(5, 2), subtype_diff = f)";
        let source = Source { create: vec![Sql::new(numbers)], needs: Default::default() };
        assert_eq!(makers(&source), ["(numeric(5, 2), numeric(5, 2))", "(numeric(5, 2), numeric(5, 2), text)"]);
    }
}
