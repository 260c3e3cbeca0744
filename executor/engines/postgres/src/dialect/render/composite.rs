//! Composite types as SQL: changed attribute by attribute where the server can, else made anew under their columns.

use mig_plan::{
    Address, Column, Complaint, Hazard, HazardCode, Name, Rendered, Schema, Sql,
    kind::Replace,
    schema::Source,
    sql::{TokenKind, tokens},
};

use super::{META, WORK, anew, meta, transaction};
use crate::dialect::{
    names::{generated, qualified, quote},
    ranges, versions,
};

/// An attribute: its name, and its type with a collation as it was written.
type Attribute = (Name, String);

/// The attributes of `CREATE TYPE name AS (a integer, b text COLLATE "C")`; `None` if the text is something else.
fn attributes(source: &Source) -> Option<Vec<Attribute>> {
    let (create, _) = source.create.split_first()?;
    let all: Vec<_> = tokens(create.as_str()).collect();
    let open = all.iter().position(|t| t.text == "(")?;
    let mut before = all[..open].iter().rev().filter(|t| t.kind != TokenKind::Blank);
    if !before.next()?.text.eq_ignore_ascii_case("as") {
        return None;
    }
    let (mut depth, mut parts) = (1usize, vec![String::new()]);
    for token in &all[open + 1..] {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (depth, token.text) {
            (0, _) => break,
            (1, ",") => parts.push(String::new()),
            _ => parts.last_mut()?.push_str(token.text),
        }
    }
    let attribute = |part: &String| {
        let part = part.trim();
        let first = tokens(part).next()?;
        let name = Name::new(first.identifier()?).ok()?;
        Some((name, part[first.text.len()..].trim().to_owned()))
    };
    let parts = parts.iter().filter(|p| !p.trim().is_empty());
    parts.map(attribute).collect()
}

/// The types of the attributes of a composite type, with their collations; none if the text is something else.
pub(crate) fn types_in(source: &Source) -> Vec<(String, Option<String>)> {
    let collation = |of: &str| of.split_once(" COLLATE ").map(|(_, name)| name.to_owned());
    attributes(source).into_iter().flatten().map(|(_, of)| (bare(&of), collation(&of))).collect()
}

/// A type without the collation behind it.
fn bare(of: &str) -> String {
    of.split(" COLLATE ").next().unwrap_or_default().to_owned()
}

/// What is said of attributes: statements beside the one that makes the type.
fn remarks(source: &Source) -> &[Sql] {
    source.create.split_first().map_or(&[], |(_, rest)| rest)
}

/// What a statement that says something of an attribute is about: all of it before what it says.
fn subject(remark: &Sql) -> &str {
    remark.as_str().split_once(" IS ").map_or(remark.as_str(), |(subject, _)| subject)
}

/// The statements around a change of attributes: before it what is said no more, after it what is new.
fn remarked(from: &Source, to: &Source) -> (Vec<String>, Vec<String>) {
    let (old, new) = (remarks(from), remarks(to));
    let gone = old.iter().filter(|was| !new.iter().any(|is| subject(is) == subject(was)));
    let said = new.iter().filter(|is| !old.contains(is));
    (
        gone.map(|was| format!("{} IS NULL", subject(was))).collect(),
        said.map(|is| is.as_str().trim_end_matches(';').to_owned()).collect(),
    )
}

/// The attributes of both, if both are composite types.
pub(crate) fn both(from: &Source, to: &Source) -> Option<(Vec<Attribute>, Vec<Attribute>)> {
    Some((attributes(from)?, attributes(to)?))
}

/// What the server does to a type while columns are made of it: drop attributes, and add others at the end. `None` if that does not do.
pub(crate) fn in_place(from: &Source, to: &Source) -> Option<Vec<String>> {
    let (old, new) = both(from, to)?;
    let gone = old.iter().filter(|(name, _)| !new.iter().any(|(n, _)| n == name));
    let kept: Vec<&Attribute> = old.iter().filter(|(name, _)| new.iter().any(|(n, _)| n == name)).collect();
    let same = kept.len() <= new.len() && kept.iter().zip(&new).all(|(a, b)| *a == b);
    let dropped = gone.map(|(name, _)| format!("DROP ATTRIBUTE {}", quote(name)));
    let added = new.iter().skip(kept.len()).map(|(name, of)| format!("ADD ATTRIBUTE {} {of}", quote(name)));
    same.then(|| dropped.chain(added).collect())
}

/// The SQL of a changed composite type.
pub(crate) fn replace(change: &Replace, from: &Source, to: &Source, before: &Schema) -> Result<Rendered, Complaint> {
    let name = qualified(&change.at.qualified());
    let loses =
        both(from, to).is_some_and(|(old, new)| old.iter().any(|(name, _)| !new.iter().any(|(n, _)| n == name)));
    let mut out = meta(vec![], format!("a short lock on type {name}"));
    let mut sql = match in_place(from, to) {
        Some(parts) => {
            let (gone, said) = remarked(from, to);
            let alter = (!parts.is_empty()).then(|| format!("ALTER TYPE {name} {}", parts.join(", ")));
            gone.into_iter().chain(alter).chain(said).collect()
        }
        None => {
            out.lock = format!("ACCESS EXCLUSIVE on every table with {name}, while every row is written");
            let says = format!("every column of {name} is written anew under exclusive locks");
            out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &change.at, says));
            if !same_places(from, to) && anew::is_held_inside(&change.at, before) {
                return Err(cannot(&change.at, "other types"));
            }
            let cast =
                |column: &Column, value: &str, array: &str| part_by_part(change, from, to, (column, value, array));
            anew::sql(&change.at, &change.to, before, &cast)?
        }
    };
    if change.from.comment != change.to.comment {
        sql.push(super::object::comment(&change.at, change.to.comment.as_deref(), None));
    }
    out.action = transaction(sql, if out.hazards.is_empty() { META } else { WORK });
    if loses {
        let says = "what values hold in an attribute that goes is lost for good";
        out.hazards.push(Hazard::new(HazardCode::NoUndo, &change.at, says));
    }
    Ok(out)
}

/// The SQL of a changed range type: made anew under its columns, whose values go over as text.
pub(crate) fn range(change: &Replace, from: &Source, before: &Schema, version: u32) -> Result<Rendered, Complaint> {
    let name = qualified(&change.at.qualified());
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on every table with {name}, while every row is written"));
    anew::divides_none(&change.at, before)?;
    let cast = |column: &Column, value: &str, array: &str| Ok(format!("{value}::text{array}::{}", column.data_type));
    let mut sql = anew::sql(&change.at, &change.to, before, &cast)?;
    // What makes its values stands in the way of what makes the new ones.
    let aside = generated("_mig_old_", &(&change.at, &name), change.at.name().as_str());
    let aside =
        ranges::makers(from).into_iter().map(|of| format!("ALTER FUNCTION {name}{of} RENAME TO {}", quote(&aside)));
    sql.splice(0..0, aside);
    // The type of several ranges, and what makes an empty one, have a name of their own, which the new ones take.
    if let Some(beside) = ranges::multirange(&change.at, from).filter(|_| version >= versions::MULTIRANGES) {
        if let Some((table, column)) = anew::columns_of(&beside, before).first() {
            return Err(of_several(&change.at, &Address::column(table, &column.name)));
        }
        let beside = qualified(&beside);
        let old = generated("_mig_old_", &(&change.at, &beside), change.at.name().as_str());
        sql.insert(0, format!("ALTER TYPE {beside} RENAME TO {}", quote(&old)));
        sql.insert(1, format!("ALTER FUNCTION {beside}() RENAME TO {}", quote(&old)));
    }
    if change.from.comment != change.to.comment {
        sql.push(super::object::comment(&change.at, change.to.comment.as_deref(), None));
    }
    out.action = transaction(sql, WORK);
    let says = format!("every column of {name} is written anew under exclusive locks");
    out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &change.at, says));
    Ok(out)
}

/// A type of several ranges comes and goes with its range's, and has no cast to that of another.
fn of_several(at: &Address, column: &Address) -> Complaint {
    Complaint {
        at: at.clone(),
        says: format!("mig cannot make {at} anew while {column} holds several of its ranges"),
        help: Some("drop the column in a plan before this one, or declare a range type under another name and move the rows to a column of that".to_owned()),
    }
}

/// Whether both have the same attributes in the same order, so that the text of a value of one is that of a value of the other.
fn same_places(from: &Source, to: &Source) -> bool {
    let names =
        |source: &Source| attributes(source).map(|all| all.into_iter().map(|(name, _)| name).collect::<Vec<_>>());
    names(from).is_some_and(|old| names(to) == Some(old))
}

fn cannot(at: &Address, inside: &str) -> Complaint {
    Complaint {
        at: at.clone(),
        says: format!("mig cannot change the parts of {at} inside {inside}"),
        help: Some("move the rows to a column of a new type with a transform".to_owned()),
    }
}

/// A value of the new type, made of the parts of the old one.
fn part_by_part(
    change: &Replace,
    from: &Source,
    to: &Source,
    (column, value, array): (&Column, &str, &str),
) -> Result<String, Complaint> {
    if same_places(from, to) {
        return Ok(format!("{value}::text{array}::{}", column.data_type));
    }
    let (old, new) = both(from, to).filter(|_| array.is_empty()).ok_or_else(|| cannot(&change.at, "arrays"))?;
    let part = |(name, of): &Attribute| match old.iter().find(|(n, _)| n == name) {
        Some((_, was)) if was == of => format!("({value}).{}", quote(name)),
        Some(_) => format!("({value}).{}::{}", quote(name), bare(of)),
        None => "NULL".to_owned(),
    };
    let parts: Vec<String> = new.iter().map(part).collect();
    let of = &column.data_type;
    Ok(format!("CASE WHEN {value} IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW({})::{of} END", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composite(inner: &str) -> Source {
        Source { create: vec![Sql::new(format!("CREATE TYPE public.c AS ({inner})"))], needs: Default::default() }
    }

    #[test]
    fn attributes_come_at_the_end_and_go_anywhere() {
        let from = composite("a integer, b numeric(5,2), \"C d\" text COLLATE \"C\"");
        let done = in_place(&from, &composite("a integer, \"C d\" text COLLATE \"C\", e text")).unwrap();
        assert_eq!(done, ["DROP ATTRIBUTE b", "ADD ATTRIBUTE e text"]);
        assert_eq!(in_place(&from, &composite("b numeric(5,2), a integer")), None);
        assert_eq!(in_place(&from, &composite("a bigint, b numeric(5,2)")), None);
        let range = Source { create: vec![Sql::new("CREATE TYPE r AS RANGE (subtype = int4)")], ..composite("") };
        assert_eq!(both(&range, &from), None);
    }
}
