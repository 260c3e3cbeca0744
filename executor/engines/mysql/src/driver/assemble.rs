//! From rows of the catalog to the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, BadName, Body, Column, ColumnValue, Constraint, Fingerprint, Name, Object, ObjectKind, Qualified, Rule,
    Schema, Sql, Table,
    schema::{Index, IndexPart, IndexedBy, Sequence, SequenceOptions, Source, Validity, View},
    table::{ForeignKey, Key, ReferentialAction},
};

use super::{
    pull::Pulled,
    rows::{Row, Rows, at, text},
};
use crate::{
    dialect::{
        names::{PRIMARY, is_own, literal, quote},
        normalize, refs, text as sql, types,
    },
    flavor::Flavor,
};

/// Makes the model.
pub(super) fn assemble(rows: &Rows, flavor: &Flavor, database: &str) -> Result<Pulled, BadName> {
    let maker = Maker { rows, flavor, database };
    let mut schema = Schema::default();
    let mut depends = BTreeMap::new();
    for row in &rows.tables {
        maker.relation(row, &mut schema)?;
    }
    maker.indexes(&mut schema)?;
    for row in &rows.views {
        maker.view(row, &mut schema)?;
    }
    let mut before: Option<(&Row, Address)> = None;
    for row in &rows.triggers {
        let of = Qualified::new(None, Name::new(text(row, 1))?);
        let place = Address::member(ObjectKind::Trigger, &of, Name::new(text(row, 0))?);
        let mut needs = BTreeSet::from([Address::table(&of)]);
        // Those of one event fire in the order in which they were made: they go last to first, so that they can come back.
        needs.extend(before.filter(|(other, _)| (1..4).all(|n| text(other, n) == text(row, n))).map(|(_, at)| at));
        before = Some((row, place.clone()));
        depends.insert(place.clone(), needs);
        schema.objects.insert(place, maker.trigger(row)?.into());
    }
    for (kind, name, definition) in &rows.code {
        maker.code(kind, name, definition, &mut schema)?;
    }
    depends.extend(of_defaults(&schema));
    Ok((schema, depends))
}

/// What defaults need: sequences. A table and its column need them.
fn of_defaults(schema: &Schema) -> BTreeMap<Address, BTreeSet<Address>> {
    let mut depends: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for (table, content) in schema.tables() {
        let at = Address::table(&table);
        for column in &content.columns {
            let alone = Table { columns: vec![column.clone()], ..Table::default() };
            let mut needs = refs::references(&at, &Object::new(Body::Table(alone)), schema);
            needs.retain(|need| need.kind() == ObjectKind::Sequence);
            if !needs.is_empty() {
                depends.entry(at.clone()).or_default().extend(needs.iter().cloned());
                depends.entry(Address::column(&table, &column.name)).or_default().extend(needs);
            }
        }
    }
    depends
}

struct Maker<'a> {
    rows: &'a Rows,
    flavor: &'a Flavor,
    database: &'a str,
}

fn named(name: &str) -> Result<Qualified, BadName> {
    Ok(Qualified::new(None, Name::new(name)?))
}

/// The comment, if it says anything.
fn comment(said: &str) -> Option<String> {
    (!said.is_empty()).then(|| said.to_owned())
}

impl Maker<'_> {
    fn relation(&self, row: &Row, schema: &mut Schema) -> Result<(), BadName> {
        let name = named(text(row, 0))?;
        let kind = text(row, 1);
        let own = |r: &&Row| text(r, 0) == text(row, 0);
        let hidden_columns =
            self.rows.columns.iter().filter(own).any(|r| matches!(at(r, 7), Some("ROW START" | "ROW END")));
        let period = self.rows.periods.get(text(row, 0));
        if matches!(kind, "BASE TABLE" | "SYSTEM VERSIONED") && !hidden_columns && period.is_none() {
            let object = Object {
                comment: comment(text(row, 5)),
                grants: Default::default(),
                body: Body::Table(self.table(row)?),
            };
            schema.objects.insert(Address::table(&name), object.into());
        } else if kind == "SEQUENCE" {
            if let Some(numbers) = self.rows.sequences.get(text(row, 0)) {
                let object = Object::new(Body::Sequence(sequence(numbers)));
                schema.objects.insert(Address::new(ObjectKind::Sequence, &name), object.into());
            }
        } else if !kind.contains("VIEW") {
            let said: Vec<_> = self.rows.columns.iter().filter(own).collect();
            let digest = match period {
                Some(parts) => Fingerprint::of(&(row, said, parts)),
                None => Fingerprint::of(&(row, said)),
            };
            let body = Body::Opaque { what: kind.to_lowercase(), digest: digest.as_str().to_owned() };
            schema.objects.insert(Address::new(ObjectKind::Opaque, &name), Object::new(body).into());
        }
        Ok(())
    }

    fn table(&self, row: &Row) -> Result<Table, BadName> {
        let name = text(row, 0);
        let mut table = Table { options: self.options(row), ..Table::default() };
        let collation = normalize::collation_of(self.flavor, &table);
        // A column that is being brought back is nobody's yet.
        for row in self.rows.columns.iter().filter(|r| text(r, 0) == name && !is_own(text(r, 1))) {
            table.columns.push(self.column(row, &collation)?);
        }
        self.primary_key(name, &mut table)?;
        self.foreign_keys(name, &mut table)?;
        for row in self.rows.checks.iter().filter(|r| text(r, 0) == name) {
            let expression = Sql::new(sql::without_database(&self.expression(text(row, 2)), self.database));
            let mut name = Name::new(text(row, 1))?;
            let of_column = text(row, 3).eq_ignore_ascii_case("column");
            if of_column && table.column(&name).is_none() {
                // The server goes on with the name that the column had before it was renamed.
                let said = sql::mentions(&expression);
                let renamed = |c: &&Column| said.contains(&c.name) && !table.constraints.contains_key(&c.name);
                name = table.columns.iter().find(renamed).map_or(name, |column| column.name.clone());
            }
            let mut check = Constraint::new(Rule::Check { expression });
            if of_column {
                check.options.insert(normalize::LEVEL.to_owned(), "column".to_owned());
            }
            if text(row, 4) == "NO" {
                check.options.insert("not_enforced".to_owned(), "true".to_owned());
            }
            table.constraints.insert(name, check);
        }
        Ok(table)
    }

    fn options(&self, row: &Row) -> BTreeMap<String, String> {
        let mut options = BTreeMap::new();
        for (key, value) in create_options(text(row, 4)) {
            options.insert(key, value);
        }
        options.insert("engine".to_owned(), text(row, 2).to_owned());
        if let Some(collation) = at(row, 3) {
            options.insert("collation".to_owned(), collation.to_owned());
        }
        if text(row, 1) == "SYSTEM VERSIONED" {
            options.insert("system_versioned".to_owned(), "true".to_owned());
        }
        if let Some(partitions) = self.rows.partitions.get(text(row, 0)) {
            options.insert("partition_by".to_owned(), partitions.clone());
        }
        let mut table = Table { options, ..Table::default() };
        normalize::settle_options(self.flavor, &mut table);
        table.options
    }

    fn column(&self, row: &Row, of_table: &str) -> Result<Column, BadName> {
        let extra = text(row, 6);
        let lower = extra.to_ascii_lowercase();
        let mut options = BTreeMap::new();
        // MariaDB hides it from other servers in a comment.
        let data_type = match text(row, 4).split_once(" /*") {
            Some((data_type, hidden)) if hidden.contains("COMPRESSED") => {
                options.insert("compressed".to_owned(), "true".to_owned());
                data_type.to_owned()
            }
            _ => text(row, 4).to_owned(),
        };
        if let Some(place) = lower.find("on update ") {
            let said = extra[place + 10..].split([',', ' ']).next().unwrap_or_default();
            options.insert("on_update".to_owned(), normalize::on_update(self.flavor, said));
        }
        if lower.contains("without system versioning") {
            options.insert("unversioned".to_owned(), "true".to_owned());
        }
        if lower.contains("invisible") {
            options.insert("invisible".to_owned(), "true".to_owned());
        }
        let value = if lower.contains("auto_increment") {
            ColumnValue::Identity { always: false, sequence: SequenceOptions::default() }
        } else if lower.contains("virtual generated") || lower.contains("stored generated") {
            let expression = sql::without_database(&self.expression(text(row, 7)), self.database);
            ColumnValue::Generated { expression: Sql::new(expression), stored: lower.contains("stored generated") }
        } else {
            self.default(at(row, 2), &data_type, lower.contains("default_generated"))
        };
        let collation = at(row, 5).filter(|c| *c != of_table && types::is_text(&data_type)).map(str::to_owned);
        Ok(Column {
            name: Name::new(text(row, 1))?,
            not_null: text(row, 3) == "NO",
            data_type,
            value,
            collation,
            comment: comment(text(row, 8)),
            options,
        })
    }

    /// MariaDB says defaults as SQL; MySQL says values bare and expressions with a mark.
    fn default(&self, said: Option<&str>, data_type: &str, is_expression: bool) -> ColumnValue {
        let Some(said) = said else { return ColumnValue::Plain };
        if self.flavor.is_maria() {
            let value = sql::without_database(said, self.database);
            return if said.eq_ignore_ascii_case("null") {
                ColumnValue::Plain
            } else {
                ColumnValue::Default(Sql::new(value))
            };
        }
        let bare = types::base(data_type) == "bit" || said.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP");
        ColumnValue::Default(Sql::new(match (is_expression, bare) {
            (true, false) => self.expression(said),
            (_, true) => said.to_owned(),
            (false, false) => literal(said),
        }))
    }

    /// MySQL escapes the quotes of expressions in its catalog.
    fn expression(&self, said: &str) -> String {
        if self.flavor.is_maria() { said.to_owned() } else { said.replace("\\'", "'") }
    }

    fn primary_key(&self, name: &str, table: &mut Table) -> Result<(), BadName> {
        let rows: Vec<_> = self.rows.indexes.iter().filter(|r| text(r, 0) == name && text(r, 1) == PRIMARY).collect();
        let Some(first) = rows.first() else { return Ok(()) };
        let columns = rows.iter().map(|r| Name::new(text(r, 3))).collect::<Result<Vec<_>, _>>()?;
        let mut key = Constraint::new(Rule::PrimaryKey(Key { columns, include: vec![], nulls_not_distinct: false }));
        for row in &rows {
            if let Some(length) = at(row, 5) {
                key.options.insert(format!("length.{}", text(row, 3)), length.to_owned());
            }
            if at(row, 4) == Some("D") {
                key.options.insert(format!("order.{}", text(row, 3)), "desc".to_owned());
            }
        }
        if text(first, 6) != normalize::usual_method(table.options.get("engine").map(String::as_str)) {
            key.options.insert("method".to_owned(), text(first, 6).to_owned());
        }
        key.comment = comment(text(first, 7));
        table.constraints.insert(Name::new(PRIMARY)?, key);
        Ok(())
    }

    fn foreign_keys(&self, name: &str, table: &mut Table) -> Result<(), BadName> {
        for row in self.rows.foreign_keys.iter().filter(|r| text(r, 0) == name) {
            let key = Name::new(text(row, 1))?;
            let empty = || ForeignKey {
                columns: vec![],
                references: Qualified::new(None, Name::new(text(row, 4)).unwrap_or_else(|_| key.clone())),
                referenced: vec![],
                on_update: action(text(row, 6)),
                on_delete: action(text(row, 7)),
                on_delete_columns: vec![],
                match_full: false,
            };
            let constraint =
                table.constraints.entry(key.clone()).or_insert_with(|| Constraint::new(Rule::ForeignKey(empty())));
            if let Rule::ForeignKey(fk) = &mut constraint.rule {
                fk.columns.push(Name::new(text(row, 2))?);
                fk.referenced.push(Name::new(text(row, 5))?);
            }
        }
        // One that is about to get another name is there under both.
        let users: Vec<_> =
            table.constraints.iter().filter(|(n, _)| !is_own(n.as_str())).map(|(_, c)| c.clone()).collect();
        table.constraints.retain(|name, c| !is_own(name.as_str()) || !users.contains(c));
        Ok(())
    }

    fn indexes(&self, schema: &mut Schema) -> Result<(), BadName> {
        for row in self.rows.indexes.iter().filter(|r| text(r, 1) != PRIMARY) {
            let table = named(text(row, 0))?;
            let Some(engine) = schema.table(&table).map(|t| t.options.get("engine").cloned()) else { continue };
            // That of a column which is there for a while, unseen like it.
            if at(row, 3).is_some_and(is_own) {
                continue;
            }
            let place = Address::index(&normalize::index_at(&table, &Name::new(text(row, 1))?));
            let spatial = text(row, 6) == "SPATIAL";
            let what = match (at(row, 3), at(row, 9)) {
                (Some(column), _) => IndexedBy::Column(Name::new(column)?),
                (None, said) => IndexedBy::Expression(Sql::new(self.expression(said.unwrap_or_default()))),
            };
            let part = IndexPart {
                what,
                collation: None,
                opclass: at(row, 5).filter(|_| !spatial).map(|length| format!("({length})")),
                descending: at(row, 4) == Some("D"),
                nulls_first: None,
            };
            let object = schema.objects.entry(place).or_insert_with(|| {
                let mut index = Index {
                    table: table.clone(),
                    unique: text(row, 2) == "0",
                    method: Some(text(row, 6).to_owned()),
                    parts: vec![],
                    include: vec![],
                    predicate: None,
                    nulls_not_distinct: false,
                    options: BTreeMap::new(),
                    validity: Validity::Valid,
                };
                normalize::settle_index(&mut index, Some(engine.as_deref().unwrap_or_default()));
                if text(row, 8) == "1" {
                    let word = if self.flavor.is_maria() { "ignored" } else { "invisible" };
                    index.options.insert(word.to_owned(), "true".to_owned());
                }
                Object { comment: comment(text(row, 7)), grants: Default::default(), body: Body::Index(index) }.into()
            });
            if let Body::Index(index) = &mut Arc::make_mut(object).body {
                index.parts.push(part);
            }
        }
        Ok(())
    }

    fn view(&self, row: &Row, schema: &mut Schema) -> Result<(), BadName> {
        let mut view = View {
            query: Sql::new(sql::without_database(text(row, 1), self.database)),
            columns: vec![],
            options: BTreeMap::from([
                ("check_option".to_owned(), text(row, 2).to_owned()),
                ("security".to_owned(), text(row, 3).to_owned()),
                ("algorithm".to_owned(), text(row, 5).to_owned()),
            ]),
        };
        if text(row, 4) != self.rows.user {
            view.options.insert("definer".to_owned(), text(row, 4).to_owned());
        }
        normalize::settle_view(&mut view);
        schema
            .objects
            .insert(Address::new(ObjectKind::View, &named(text(row, 0))?), Object::new(Body::View(view)).into());
        Ok(())
    }

    fn trigger(&self, row: &Row) -> Result<Object, BadName> {
        let definer = match text(row, 5) {
            who if who == self.rows.user => String::new(),
            who => match who.rsplit_once('@') {
                Some((user, host)) => format!("DEFINER={}@{} ", quote(&Name::new(user)?), quote(&Name::new(host)?)),
                None => String::new(),
            },
        };
        let body = sql::without_database(text(row, 4), self.database);
        let create = format!(
            "CREATE {definer}TRIGGER {} {} {} ON {} FOR EACH ROW {body}",
            quote(&Name::new(text(row, 0))?),
            text(row, 2),
            text(row, 3),
            quote(&Name::new(text(row, 1))?)
        );
        Ok(source(create))
    }

    fn code(&self, kind: &str, name: &str, definition: &str, schema: &mut Schema) -> Result<(), BadName> {
        let place = named(name)?;
        let text = sql::without_database(definition, self.database);
        let object = source(sql::without_definer(&text, Some(&self.rows.user)));
        let (at, object) = match kind {
            "PROCEDURE" => (Address::routine(ObjectKind::Procedure, &place, ""), object),
            "FUNCTION" => (Address::routine(ObjectKind::Function, &place, ""), object),
            "EVENT" => (Address::new(ObjectKind::Event, &place), object),
            other => {
                let digest = Fingerprint::of(&(other, name)).as_str().to_owned();
                let body = Body::Opaque { what: other.to_lowercase(), digest };
                (Address::new(ObjectKind::Opaque, &place), Object::new(body))
            }
        };
        schema.objects.insert(at, object.into());
        Ok(())
    }
}

fn source(create: String) -> Object {
    Object::new(Body::Source(Source { create: vec![Sql::new(create)], needs: BTreeSet::new() }))
}

fn action(said: &str) -> ReferentialAction {
    match said {
        "CASCADE" => ReferentialAction::Cascade,
        "RESTRICT" => ReferentialAction::Restrict,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

fn sequence(numbers: &Row) -> Sequence {
    let number = |n: usize| at(numbers, n).and_then(|text| text.parse().ok());
    let mut options = SequenceOptions {
        min: number(0),
        max: number(1),
        start: number(2),
        increment: number(3),
        cache: number(4),
        cycle: at(numbers, 5) == Some("1"),
    };
    normalize::sequence(&mut options);
    Sequence { data_type: "bigint".to_owned(), options, owned_by: None }
}

/// `row_format=DYNAMIC stats_persistent=1 partitioned` and MariaDB's `` `page_compressed`='1' ``.
fn create_options(said: &str) -> Vec<(String, String)> {
    let tokens = crate::dialect::text::pairs(said);
    tokens.into_iter().filter(|(key, _)| key != "partitioned").collect()
}

/// The clause that says how a table is cut into partitions, without its first two words.
pub(super) fn partitions(definition: &str) -> Option<String> {
    let whole = |at: &usize| !definition[..*at].ends_with("SUB");
    let start = definition.rmatch_indices("PARTITION BY ").map(|(at, _)| at).find(whole)?;
    let text = definition[start + "PARTITION BY ".len()..].trim_end();
    let text = text.strip_suffix("*/").unwrap_or(text).trim_end();
    Some(text.to_owned())
}
