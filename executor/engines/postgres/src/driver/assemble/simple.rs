//! Objects that are no tables: schemas, extensions, types, sequences, views, and those that are one text.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Fingerprint, Grant, GrantRule, Name, ObjectKind, Sql,
    schema::{Domain, Extension, Sequence, Source, View},
};

use super::{Assembled, Odd, address, class, flag, option, qualified, sequence_options, settings};
use crate::{
    dialect::view::{COMMENT, DEFAULT},
    driver::rows::{Rows, SourceKind, TypeRow, ViewRow},
};

/// Schemas, extensions, sequences and views.
pub(super) fn objects(rows: &Rows, out: &mut Assembled) -> Result<(), Odd> {
    for n in &rows.namespaces {
        let at = Address::global(ObjectKind::Namespace, Name::new(&n.name)?);
        out.add((class::NAMESPACE, n.oid), at, n.comment.as_ref(), Body::Namespace {});
    }
    for d in &rows.defaults {
        let at = Address::global(ObjectKind::DefaultPrivileges, Name::new(&d.name)?);
        out.add((class::DEFAULT_ACL, d.oid), at, None, Body::DefaultPrivileges {});
    }
    for x in &rows.extensions {
        let at = Address::global(ObjectKind::Extension, Name::new(&x.name)?);
        let body = Extension { schema: Some(Name::new(&x.schema)?), version: Some(x.version.clone()) };
        out.add((class::EXTENSION, x.oid), at, x.comment.as_ref(), Body::Extension(body));
    }
    for s in rows.sequences.iter().filter(|s| s.identity != Some(true)) {
        let owned_by = match (&s.owner_schema, &s.owner_name, &s.owner_column_name) {
            (Some(schema), Some(table), Some(column)) => {
                Some(Address::column(&qualified(schema, table)?, &Name::new(column)?))
            }
            _ => None,
        };
        let body = Sequence { data_type: s.data_type.clone(), options: sequence_options(s), owned_by };
        let at = address(ObjectKind::Sequence, &s.schema, &s.name)?;
        out.add((class::CLASS, s.oid), at, s.comment.as_ref(), Body::Sequence(body));
    }
    for v in &rows.views {
        let kind = if v.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
        let at = address(kind, &v.schema, &v.name)?;
        out.add((class::CLASS, v.oid), at, v.comment.as_ref(), Body::View(view(v)));
    }
    Ok(())
}

fn view(v: &ViewRow) -> View {
    let mut options = BTreeMap::new();
    settings(&mut options, if v.materialized { "with." } else { "" }, v.settings.as_ref());
    flag(&mut options, "with_no_data", v.materialized && !v.populated);
    option(&mut options, "tablespace", v.tablespace.as_deref());
    option(&mut options, "access_method", v.access_method.as_deref());
    for (name, comment, default) in v.columns.iter().flatten() {
        option(&mut options, &format!("{COMMENT}{name}"), comment.as_deref());
        option(&mut options, &format!("{DEFAULT}{name}"), default.as_deref());
    }
    View { query: statement(&v.query), columns: Vec::new(), options }
}

/// A text without the blanks and the semicolon around it.
fn statement(text: &str) -> Sql {
    let text = text.trim();
    Sql::new(text.strip_suffix(';').unwrap_or(text).trim_end())
}

/// Enums, domains, composite types and ranges.
pub(super) fn types(rows: &Rows, out: &mut Assembled) -> Result<(), Odd> {
    for t in &rows.types {
        let (kind, body) = match t.kind {
            'e' => (ObjectKind::Enum, Body::Enum { values: t.labels.clone().unwrap_or_default() }),
            'd' => (ObjectKind::Domain, Body::Domain(domain(t)?)),
            _ => (ObjectKind::Type, source(t.create.iter().chain(t.remarks.iter().flatten()))),
        };
        let at = address(kind, &t.schema, &t.name)?;
        if let Some(relation) = t.relation {
            out.places.insert((class::CLASS, relation, 0), at.clone());
        }
        out.add((class::TYPE, t.oid), at, t.comment.as_ref(), body);
    }
    Ok(())
}

fn domain(t: &TypeRow) -> Result<Domain, Odd> {
    let checks = t.checks.iter().flatten().map(|(name, text, _)| Ok((Name::new(name)?, Sql::new(text))));
    let said = t.checks.iter().flatten().filter_map(|(name, _, comment)| Some((name, comment.as_ref()?)));
    let said = said.map(|(name, comment)| Ok((Name::new(name)?, comment.clone())));
    Ok(Domain {
        base: t.base.clone().unwrap_or_default(),
        not_null: t.not_null,
        default: t.standard.as_ref().map(Sql::new),
        collation: t.collation.clone(),
        checks: checks.collect::<Result<_, _>>()?,
        comments: said.collect::<Result<_, Odd>>()?,
    })
}

fn source<'a>(texts: impl Iterator<Item = &'a String>) -> Body {
    Body::Source(Source { create: texts.map(|t| statement(t)).collect(), needs: BTreeSet::new() })
}

/// Routines, triggers, policies, rules, collations, statistics, event triggers.
pub(super) fn sources(rows: &Rows, out: &mut Assembled) -> Result<(), Odd> {
    for s in &rows.sources {
        let (kind, class) = match s.kind {
            SourceKind::Collation => (ObjectKind::Collation, class::COLLATION),
            SourceKind::Function => (ObjectKind::Function, class::PROC),
            SourceKind::Procedure => (ObjectKind::Procedure, class::PROC),
            SourceKind::Aggregate => (ObjectKind::Aggregate, class::PROC),
            SourceKind::Trigger => (ObjectKind::Trigger, class::TRIGGER),
            SourceKind::Policy => (ObjectKind::Policy, class::POLICY),
            SourceKind::Rule => (ObjectKind::Rule, class::REWRITE),
            SourceKind::Statistics => (ObjectKind::Statistics, class::STATISTICS),
            SourceKind::EventTrigger => (ObjectKind::EventTrigger, class::EVENT_TRIGGER),
            SourceKind::Other => (ObjectKind::Other, s.class.unwrap_or_default()),
        };
        let at = match (&s.schema, &s.relation, &s.signature) {
            (Some(schema), None, Some(signature)) => Address::routine(kind, &qualified(schema, &s.name)?, signature),
            (Some(schema), Some(relation), _) => {
                Address::member(kind, &qualified(schema, relation)?, Name::new(&s.name)?)
            }
            (Some(schema), None, None) => address(kind, schema, &s.name)?,
            (None, ..) => Address::global(kind, Name::new(&s.name)?),
        };
        out.add((class, s.oid), at, s.comment.as_ref(), source(s.create.iter()));
    }
    Ok(())
}

/// What the model has no kind for.
pub(super) fn opaque(rows: &Rows, out: &mut Assembled) -> Result<(), Odd> {
    for o in &rows.opaque {
        let at = Address::new(ObjectKind::Opaque, &qualified(&o.what, &o.identity)?);
        let digest = Fingerprint::of_bytes(o.says.as_bytes()).short(64).to_owned();
        out.add((o.class, o.oid), at, o.comment.as_ref(), Body::Opaque { what: o.what.clone(), digest });
    }
    Ok(())
}

/// Privileges, once everything else is there.
pub(super) fn grants(rows: &Rows, out: &mut Assembled) -> Result<(), Odd> {
    for g in &rows.grants {
        let Some(at) = out.places.get(&(g.class, g.oid, 0)) else { continue };
        let Some(object) = out.schema.objects.get_mut(at) else { continue };
        let rule = match (g.revoked, g.grantable) {
            (true, _) => GrantRule::Revoked,
            (false, true) => GrantRule::WithGrantOption,
            (false, false) => GrantRule::Granted,
        };
        let column = g.column.as_ref().map(Name::new).transpose()?;
        Arc::make_mut(object).grants.insert(Grant { to: g.role.clone(), privilege: g.privilege.clone(), column, rule });
    }
    Ok(())
}
