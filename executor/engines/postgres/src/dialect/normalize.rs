//! What PostgreSQL adds to a declared schema, and what it cannot have.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Column, ColumnValue, Complaint, Constraint, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql,
    Table,
    schema::{Index, IndexedBy, Sequence, SequenceOptions},
};

use super::{
    grants::{self, Defaults},
    inherit, lacks,
    names::{self, literal, qualified},
    operators,
    render::foreign,
    types::SERIALS,
};

/// The schema as PostgreSQL would have it. Texts stay as they were said.
pub(crate) fn normalize(mut schema: Schema, default: Option<&Name>, version: u32) -> Result<Schema, Vec<Complaint>> {
    let mut complaints = Vec::new();
    place(&mut schema, default);
    for at in inherit::parents_first(&schema) {
        inherit::expand(&mut schema, &at);
        let at = Address::table(&at);
        let mut sequences = Vec::new();
        if let Some(Body::Table(table)) = schema.objects.get_mut(&at).map(|o| &mut Arc::make_mut(o).body) {
            complete(&at.qualified(), table, &mut sequences);
            check_table(&at, table, &mut complaints);
        }
        for (address, sequence) in sequences {
            schema.objects.entry(address).or_insert_with(|| Object::new(Body::Sequence(sequence)).into());
        }
    }
    for (at, object) in &mut schema.objects {
        let object = Arc::make_mut(object);
        match &mut object.body {
            Body::Index(index) => index_defaults(index),
            Body::Sequence(sequence) => sequence_defaults(&sequence.data_type, &mut sequence.options),
            _ => {}
        }
        check_names(at, &mut complaints);
        grants::normalize(at, object, version, &mut complaints);
        check_object(at, object, &mut complaints);
    }
    complaints.extend(lacks::all(&schema, version));
    held_by_indexes(&mut schema);
    operators::tell_once(&mut schema, operators::Said::Declared);
    foreign_keys(&mut schema, &mut complaints);
    inherit::lean(&mut schema);
    if complaints.is_empty() { Ok(schema) } else { Err(complaints) }
}

/// What a table says of one of its indexes is a setting of that index; of a key, it stays the table's.
fn held_by_indexes(schema: &mut Schema) {
    let mut held: Vec<(Address, &str)> = Vec::new();
    for (at, table) in schema.tables() {
        for (setting, flag) in [("replica_identity", "replica_identity"), ("clustered_on", "clustered")] {
            let named = table.options.get(setting).and_then(|name| Name::new(name.as_str()).ok());
            let index = named.map(|name| Address::index(&at.sibling(name)));
            held.extend(index.filter(|index| schema.objects.contains_key(index)).map(|index| (index, flag)));
        }
    }
    for (at, flag) in held {
        let Some(Body::Index(index)) = schema.objects.get_mut(&at).map(|o| &mut Arc::make_mut(o).body) else {
            continue;
        };
        index.options.insert(flag.to_owned(), "true".to_owned());
        let of = index.table.clone();
        let setting = if flag == "clustered" { "clustered_on" } else { flag };
        if let Some(table) = schema.table_mut(&of) {
            table.options.remove(setting);
        }
    }
}

/// Puts what has no schema into the default one.
fn place(schema: &mut Schema, default: Option<&Name>) {
    let globals = [
        ObjectKind::Namespace,
        ObjectKind::Extension,
        ObjectKind::EventTrigger,
        ObjectKind::Opaque,
        ObjectKind::Other,
        ObjectKind::DefaultPrivileges,
    ];
    let bare = |at: &Address| !globals.contains(&at.kind()) && at.qualified().schema.is_none();
    let homeless: Vec<Address> = schema.objects.keys().filter(|at| bare(at)).cloned().collect();
    let homed = |at: &Qualified| Qualified::new(at.schema.clone().or_else(|| default.cloned()), at.name.clone());
    for at in homeless {
        let Some(object) = schema.objects.remove(&at) else { continue };
        let to = homed(&at.qualified());
        let address = match (at.signature(), at.relation()) {
            (Some(signature), _) => Address::routine(at.kind(), &to, signature),
            (None, Some(_)) => Address::member(at.kind(), &to, at.name().clone()),
            (None, None) => Address::new(at.kind(), &to),
        };
        schema.objects.insert(address, object);
    }
    for object in schema.objects.values_mut() {
        match &mut Arc::make_mut(object).body {
            Body::Index(index) => index.table = homed(&index.table),
            Body::Table(table) => {
                for constraint in table.constraints.values_mut() {
                    if let Rule::ForeignKey(fk) = &mut constraint.rule {
                        fk.references = homed(&fk.references);
                    }
                }
                for key in ["partition_of", "inherits"] {
                    let Some(paths) = table.options.get_mut(key) else { continue };
                    let full =
                        |path: &str| inherit::path_of(path.trim()).map_or(path.to_owned(), |at| homed(&at).to_string());
                    *paths = paths.split(',').map(full).collect::<Vec<_>>().join(", ");
                }
            }
            _ => {}
        }
    }
}

/// What a table's columns imply.
fn complete(at: &Qualified, table: &mut Table, sequences: &mut Vec<(Address, Sequence)>) {
    let keys = table.constraints.values().filter_map(|c| match &c.rule {
        Rule::PrimaryKey(key) => Some(key.columns.clone()),
        _ => None,
    });
    let required: BTreeSet<Name> = keys.flatten().collect();
    for column in &mut table.columns {
        column.not_null |= required.contains(&column.name);
        if let Some((_, integer)) = SERIALS.iter().find(|(serial, _)| *serial == column.data_type) {
            sequences.push(serial(at, column, integer));
        }
        if let ColumnValue::Identity { sequence, .. } = &mut column.value {
            column.not_null = true;
            sequence_defaults(&column.data_type, sequence);
        }
        if let ColumnValue::Default(value) = &column.value
            && value.as_str().trim().eq_ignore_ascii_case("null")
        {
            column.value = ColumnValue::Plain;
        }
        let default_storage = super::casts::default_storage(&column.data_type);
        column.options.retain(|key, value| key != "storage" || !value.eq_ignore_ascii_case(default_storage));
    }
    for constraint in table.constraints.values_mut() {
        if let Rule::Check { expression } = &mut constraint.rule {
            let trimmed = expression.as_str().trim();
            *expression = Sql::new(trimmed);
        }
    }
    table.options.retain(|key, value| !(key == "access_method" && value == "heap"));
}

/// The name of the sequence behind a serial column.
pub(crate) fn serial_sequence(table: &Qualified, column: &Name) -> Qualified {
    table.sibling(names::derived(table.name.as_str(), column.as_str(), "seq", &|_| false))
}

/// The default of a serial column.
pub(crate) fn serial_default(sequence: &Qualified) -> Sql {
    Sql::new(format!("nextval({}::regclass)", literal(&qualified(sequence))))
}

/// Makes a serial column what it stands for, and gives its sequence.
fn serial(table: &Qualified, column: &mut Column, integer: &str) -> (Address, Sequence) {
    let name = serial_sequence(table, &column.name);
    integer.clone_into(&mut column.data_type);
    column.not_null = true;
    if column.value.is_plain() {
        column.value = ColumnValue::Default(serial_default(&name));
    }
    let sequence = Sequence {
        data_type: integer.to_owned(),
        options: SequenceOptions::default(),
        owned_by: Some(Address::column(table, &column.name)),
    };
    (Address::new(ObjectKind::Sequence, &name), sequence)
}

/// Leaves out the numbers that a sequence has anyway.
fn sequence_defaults(data_type: &str, options: &mut SequenceOptions) {
    let (least, most) = match data_type {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let drop = |value: &mut Option<i64>, default: i64| {
        if *value == Some(default) {
            *value = None;
        }
    };
    let down = options.increment.is_some_and(|n| n < 0);
    let first = if down { options.max.unwrap_or(-1) } else { options.min.unwrap_or(1) };
    drop(&mut options.start, first);
    drop(&mut options.increment, 1);
    drop(&mut options.min, if down { least } else { 1 });
    drop(&mut options.max, if down { -1 } else { most });
    drop(&mut options.cache, 1);
}

fn index_defaults(index: &mut Index) {
    if index.method.as_ref().is_some_and(|m| m.eq_ignore_ascii_case("btree")) {
        index.method = None;
    }
    for part in &mut index.parts {
        if part.nulls_first == Some(part.descending) {
            part.nulls_first = None;
        }
        if let IndexedBy::Expression(expression) = &mut part.what {
            *expression = Sql::new(expression.as_str().trim());
        }
    }
}

fn complain(at: &Address, says: impl Into<String>, help: Option<&str>) -> Complaint {
    Complaint { at: at.clone(), says: says.into(), help: help.map(str::to_owned) }
}

fn check_names(at: &Address, complaints: &mut Vec<Complaint>) {
    if at.kind() == ObjectKind::DefaultPrivileges && Defaults::of(at).is_none() {
        let help = "write it like `tables by app in shop`, or `functions by app`";
        complaints.push(complain(at, "it does not say on what, and by whom it is made", Some(help)));
    }
    // These names are texts made of other names.
    if matches!(at.kind(), ObjectKind::Other | ObjectKind::DefaultPrivileges) {
        return;
    }
    if let Err(says) = names::check(at.name()) {
        complaints.push(complain(at, says, Some("choose another name")));
    }
}

fn check_table(at: &Address, table: &Table, complaints: &mut Vec<Complaint>) {
    let of = at.qualified();
    let mut seen = BTreeSet::new();
    for column in &table.columns {
        let place = Address::column(&of, &column.name);
        check_names(&place, complaints);
        if !seen.insert(&column.name) {
            complaints.push(complain(&place, "the column is declared twice", None));
        }
        if ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"].contains(&column.name.as_str()) {
            complaints.push(complain(
                &place,
                "PostgreSQL has a system column of this name",
                Some("choose another name"),
            ));
        }
        if column.data_type.is_empty() {
            complaints.push(complain(
                &place,
                "the column has no type, and no parent of the table has it",
                Some("give it a type"),
            ));
        }
        check_value(&place, column, complaints);
    }
    if table.constraints.values().filter(|c| matches!(c.rule, Rule::PrimaryKey(_))).count() > 1 {
        complaints.push(complain(at, "a table has one primary key at most", None));
    }
    for (name, constraint) in &table.constraints {
        let place = Address::constraint(&of, name);
        check_names(&place, complaints);
        let included = constraint.key().map_or(&[][..], |k| &k.include[..]);
        let named = constraint.columns().iter().chain(included);
        for column in named.filter(|c| table.column(c).is_none()) {
            complaints.push(complain(&place, format!("{of} has no column {column}"), None));
        }
        check_constraint(&place, constraint, complaints);
    }
}

fn check_value(at: &Address, column: &Column, complaints: &mut Vec<Complaint>) {
    if let ColumnValue::Identity { .. } = &column.value
        && !matches!(column.data_type.as_str(), "smallint" | "integer" | "bigint")
    {
        let says = format!("an identity column is a smallint, integer or bigint, not {}", column.data_type);
        complaints.push(complain(at, says, None));
    }
}

fn check_constraint(at: &Address, constraint: &Constraint, complaints: &mut Vec<Complaint>) {
    if matches!(constraint.rule, Rule::Check { .. }) && !constraint.deferral.is_none() {
        complaints.push(complain(at, "PostgreSQL cannot defer a check", None));
    }
    if let Rule::ForeignKey(fk) = &constraint.rule
        && !fk.referenced.is_empty()
        && fk.referenced.len() != fk.columns.len()
    {
        complaints.push(complain(at, "a foreign key has as many columns as the key that it refers to", None));
    }
}

fn check_object(at: &Address, object: &Object, complaints: &mut Vec<Complaint>) {
    complaints.extend(foreign::told_secret(at, object));
    match &object.body {
        Body::Index(index) if index.parts.is_empty() => {
            complaints.push(complain(at, "an index needs at least one column or expression", None));
        }
        Body::Enum { values } => {
            let distinct: BTreeSet<_> = values.iter().collect();
            if distinct.len() != values.len() {
                complaints.push(complain(at, "a value is declared twice", None));
            }
            if values.iter().any(|v| v.len() > 63) {
                complaints.push(complain(at, "an enum value has at most 63 bytes", None));
            }
        }
        _ => {}
    }
}

/// Foreign keys that name no columns mean the primary key; all must have a key behind them.
fn foreign_keys(schema: &mut Schema, complaints: &mut Vec<Complaint>) {
    let keys: std::collections::BTreeMap<Qualified, Vec<Name>> = schema
        .tables()
        .map(|(at, _)| at)
        .filter_map(|at| {
            let key = inherit::whole(schema, &at)?.primary_key()?.1.columns.clone();
            Some((at, key))
        })
        .collect();
    for object in schema.objects.values_mut() {
        let Body::Table(table) = &mut Arc::make_mut(object).body else { continue };
        for constraint in table.constraints.values_mut() {
            if let Rule::ForeignKey(fk) = &mut constraint.rule
                && fk.referenced.is_empty()
                && let Some(key) = keys.get(&fk.references)
            {
                fk.referenced.clone_from(key);
            }
        }
    }
    for (at, table) in schema.tables() {
        for (name, constraint) in &table.constraints {
            let Some(fk) = constraint.foreign_key() else { continue };
            let place = Address::constraint(&at, name);
            let Some(there) = schema.table(&fk.references) else {
                complaints.push(complain(
                    &place,
                    format!("it refers to {}, which is not declared", fk.references),
                    None,
                ));
                continue;
            };
            if fk.referenced.len() != fk.columns.len() {
                let says = format!(
                    "it has {} columns, and the key of {} has {}",
                    fk.columns.len(),
                    fk.references,
                    fk.referenced.len()
                );
                complaints.push(complain(&place, says, None));
            } else if !has_key(
                schema,
                &fk.references,
                &inherit::whole(schema, &fk.references).unwrap_or_else(|| there.clone()),
                &fk.referenced,
            ) {
                let says = format!("{} has no unique key on {}", fk.references, names::list(&fk.referenced));
                complaints.push(complain(&place, says, Some("declare a primary key or unique key there")));
            }
        }
    }
}

/// Whether the columns are together a key of a table, in any order.
fn has_key(schema: &Schema, at: &Qualified, table: &Table, columns: &[Name]) -> bool {
    let wanted: BTreeSet<_> = columns.iter().collect();
    let keys = table.constraints.values().filter_map(Constraint::key);
    let mut keys = keys.map(|k| k.columns.iter().collect::<BTreeSet<_>>());
    let index_columns = |index: &Index| -> Option<BTreeSet<Name>> {
        let plain = index.parts.iter().map(|p| match &p.what {
            IndexedBy::Column(name) => Some(name.clone()),
            IndexedBy::Expression(_) => None,
        });
        plain.collect()
    };
    keys.any(|key| key == wanted)
        || schema
            .indexes_of(at)
            .chain(inherit::passed_indexes(schema, at))
            .filter(|(_, i)| i.unique && i.predicate.is_none())
            .any(|(_, index)| index_columns(index).is_some_and(|c| c.iter().collect::<BTreeSet<_>>() == wanted))
}
