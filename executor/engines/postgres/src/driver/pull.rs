//! Reading the catalog: all of it, or some objects.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use mig_executor::Failure;
use mig_plan::{Address, Dialect, Object, ObjectKind, Schema};
use serde::de::DeserializeOwned;

use super::{
    assemble::{Assembled, Place, assemble, dependencies},
    link::Link,
    queries::{self, Ask, Only},
    rows::Rows,
};
use crate::dialect::{Postgres, operators};

/// How often a pull is tried while the schema changes under it.
const ATTEMPTS: usize = 5;

/// A pulled schema with what each object needs.
pub(super) type Pulled = (Schema, BTreeMap<Address, BTreeSet<Address>>);

/// A place for the answer of a query.
type Keep = fn(&mut Rows, &str) -> Result<(), serde_json::Error>;

/// Reads everything in one snapshot. Functions that write definitions out look at the newest catalog, not at the snapshot: so a pull
/// counts only if nothing has changed from its snapshot to its end.
pub(super) async fn pull(link: &mut Link, version: u32) -> Result<Pulled, Failure> {
    let ask = Ask { version, only: Only::Pulled };
    let mut parts = all(&ask);
    parts.push((queries::links(), |rows, text| {
        text.clone_into(&mut rows.links);
        Ok(())
    }));
    parts.push((queries::depends(), |rows, text| {
        text.clone_into(&mut rows.depends);
        Ok(())
    }));
    let stamp = queries::stamp();
    // The planner takes some of these queries for dear ones; compiling them to machine code takes longer than running them.
    let mut message = format!("begin isolation level repeatable read, read only;set local jit = off;{stamp}");
    for (query, _) in &parts {
        message.push(';');
        message.push_str(query);
    }
    message.push_str(&format!(";commit;{stamp}"));
    for _ in 0..ATTEMPTS {
        let (mut rows, mut stamps, mut at) = (Rows::default(), Vec::new(), 0_usize);
        let answered = link.each(&message, "reading the schema", |answer| {
            match at.checked_sub(1).and_then(|part| parts.get(part)) {
                Some(part) => keep(part, &mut rows, answer)?,
                None => stamps.push(answer.to_owned()),
            }
            at += 1;
            Ok(())
        });
        match answered.await {
            Ok(()) => {}
            Err(Failure::Refused { code: Some(code), says }) => {
                link.run("rollback", "reading the schema").await?;
                // Something was dropped between the snapshot and the writing out of its definition.
                if matches!(code.as_str(), "XX000" | "42P01" | "42704" | "42883" | "42703") {
                    continue;
                }
                return Err(Failure::Refused { says, code: Some(code) });
            }
            Err(error) => return Err(error),
        }
        let [before, after] = stamps.as_slice() else {
            return Err(Failure::broken("the catalog queries gave another number of answers"));
        };
        if before != after {
            continue;
        }
        let Assembled { mut schema, mut places } = made(&rows)?;
        leave_out_standing(&mut schema, &mut places);
        let (links, depends) = (mem::take(&mut rows.links), mem::take(&mut rows.depends));
        // Of a large schema, the rows are as large again.
        drop(rows);
        let mut depends = dependencies(&places, &links, &depends);
        // The catalog counts no link between operators as one that holds them.
        for (at, object) in schema.objects.of_kind(ObjectKind::Other) {
            let linked = operators::linked(at, object, &schema);
            if !linked.is_empty() {
                depends.entry(at.clone()).or_default().extend(linked);
            }
        }
        return Ok((schema, depends));
    }
    Err(Failure::Transient { says: "the schema keeps changing while it is read".to_owned() })
}

/// Takes out what every database has, where it is as it was from the beginning.
fn leave_out_standing(schema: &mut Schema, places: &mut HashMap<Place, Address>) {
    for (at, object) in Postgres::new("", None).standing() {
        if schema.objects.get(&at).is_some_and(|there| **there == object) {
            schema.objects.remove(&at);
            places.retain(|_, of| *of != at);
        }
    }
}

/// Reads some objects as they are now, in the open transaction if there is one.
pub(super) async fn observe(
    link: &mut Link,
    version: u32,
    of: &BTreeSet<Address>,
) -> Result<BTreeMap<Address, Object>, Failure> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: BTreeSet<_> = of
        .iter()
        .map(|at| {
            let path = at.path();
            let depth = if at.is_member() { path.len().saturating_sub(2) } else { path.len().saturating_sub(1) };
            (depth.checked_sub(1).map(|above| path[above].as_str()), path[depth].as_str())
        })
        .collect();
    let resolve = queries::resolve(&names.into_iter().collect::<Vec<_>>());
    let found = link.value(&resolve, "looking for objects").await?;
    let mut lines = found.split('\n').map(|line| line.split(' ').filter_map(|n| n.parse().ok()).collect::<Vec<u32>>());
    let (named, near) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let opaque = of.iter().any(|at| matches!(at.kind(), ObjectKind::Opaque | ObjectKind::Other));
    if named.is_empty() && !opaque {
        return Ok(BTreeMap::new());
    }
    let kinds: BTreeSet<ObjectKind> = of.iter().map(Address::kind).collect();
    let parts = some(&kinds, version, named, near);
    let message = parts.iter().map(|(query, _)| query.as_str()).collect::<Vec<_>>().join(";");
    let answers = link.values(&message, "observing objects").await?;
    let Assembled { schema, .. } = made(&read(&parts, &answers)?)?;
    Ok(schema.only(of))
}

/// Kinds of objects that privileges are granted on.
const GRANTED: &[ObjectKind] = &[
    ObjectKind::Namespace,
    ObjectKind::Enum,
    ObjectKind::Domain,
    ObjectKind::Type,
    ObjectKind::Sequence,
    ObjectKind::Table,
    ObjectKind::View,
    ObjectKind::MaterializedView,
    ObjectKind::Function,
    ObjectKind::Procedure,
    ObjectKind::Aggregate,
    ObjectKind::Other,
    ObjectKind::DefaultPrivileges,
];

/// The queries for all objects.
fn all(ask: &Ask) -> Vec<(String, Keep)> {
    let mut parts = relations(ask, ask, |_| true);
    parts.extend(others(ask, |_| true));
    parts
}

/// The queries for objects of some kinds: `named` are their ids, `near` those of the relations whose columns they speak of too.
fn some(kinds: &BTreeSet<ObjectKind>, version: u32, named: Vec<u32>, near: Vec<u32>) -> Vec<(String, Keep)> {
    let ask = Ask { version, only: Only::These(named) };
    let near = Ask { version, only: Only::These(near) };
    let mut parts = relations(&ask, &near, |kind| kinds.contains(&kind));
    parts.extend(others(&ask, |kind| kinds.contains(&kind)));
    parts
}

macro_rules! into {
    ($field:ident) => {
        |rows, text| {
            rows.$field = list(text)?;
            Ok(())
        }
    };
}

fn relations(ask: &Ask, near: &Ask, wanted: impl Fn(ObjectKind) -> bool) -> Vec<(String, Keep)> {
    use ObjectKind as K;
    let parts: [(&[ObjectKind], String, Keep); 7] = [
        (&[K::Table], queries::tables(ask), into!(tables)),
        (&[K::Table, K::Index], queries::columns(near), into!(columns)),
        (&[K::Table, K::Sequence], queries::sequences(ask), into!(sequences)),
        (&[K::Table], queries::constraints(ask), into!(constraints)),
        (&[K::Index], queries::indexes(ask), into!(indexes)),
        (&[K::Index], queries::classes(), into!(classes)),
        (&[K::View, K::MaterializedView], queries::views(ask), into!(views)),
    ];
    let parts = parts.into_iter().filter(|(kinds, ..)| kinds.iter().any(|k| wanted(*k)));
    parts.map(|(_, query, keep)| (query, keep)).collect()
}

fn others(ask: &Ask, wanted: impl Fn(ObjectKind) -> bool) -> Vec<(String, Keep)> {
    use ObjectKind as K;
    type Query = fn(&Ask) -> String;
    let one: [(&[ObjectKind], Query, Keep); 6] = [
        (&[K::DefaultPrivileges], queries::default_privileges, into!(defaults)),
        (&[K::Namespace], queries::namespaces, into!(namespaces)),
        (&[K::Extension], queries::extensions, into!(extensions)),
        (&[K::Enum, K::Domain, K::Type], queries::types, into!(types)),
        (&[K::Opaque], queries::opaque, into!(opaque)),
        (GRANTED, queries::grants, into!(grants)),
    ];
    let texts: [(&[ObjectKind], Query); 9] = [
        (&[K::Other], queries::others),
        (&[K::Collation], queries::collations),
        (&[K::Function, K::Procedure], queries::routines),
        (&[K::Aggregate], queries::aggregates),
        (&[K::Trigger], queries::triggers),
        (&[K::Policy], queries::policies),
        (&[K::Rule], queries::rules),
        (&[K::Statistics], queries::statistics),
        (&[K::EventTrigger], queries::event_triggers),
    ];
    let more: Keep = |rows, text| {
        rows.sources.extend(list::<super::rows::SourceRow>(text)?);
        Ok(())
    };
    let texts = texts.into_iter().map(|(kinds, query)| (kinds, query, more));
    let parts = one.into_iter().chain(texts).filter(|(kinds, ..)| kinds.iter().any(|k| wanted(*k)));
    parts.map(|(_, query, keep)| (query(ask), keep)).collect()
}

fn list<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, serde_json::Error> {
    serde_json::from_str(text)
}

/// Reads the answers of the queries.
fn read(parts: &[(String, Keep)], answers: &[String]) -> Result<Rows, Failure> {
    if parts.len() != answers.len() {
        return Err(Failure::broken("the catalog queries gave another number of answers"));
    }
    let mut rows = Rows::default();
    for (part, answer) in parts.iter().zip(answers) {
        keep(part, &mut rows, answer)?;
    }
    Ok(rows)
}

/// Reads the answer of one query.
fn keep((query, keep): &(String, Keep), rows: &mut Rows, answer: &str) -> Result<(), Failure> {
    keep(rows, answer).map_err(|e| {
        let begin: String = query.chars().skip(60).take(80).collect();
        Failure::broken(format!("an answer of the catalog cannot be read: {e} ({begin})"))
    })
}

fn made(rows: &Rows) -> Result<Assembled, Failure> {
    assemble(rows).map_err(|e| Failure::broken(format!("the catalog holds a name that cannot be: {e}")))
}
