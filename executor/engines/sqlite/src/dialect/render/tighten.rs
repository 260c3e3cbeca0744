//! What a rebuild may trip over: hazards, and questions about the rows to ask before.

use mig_plan::{
    Address, CheckSql, ColumnValue, Complaint, DraftCheck, Hazard, HazardCode, Name, Qualified, Rule, Schema, Table,
    kind::Rebuild,
    table::{Column, Constraint, ForeignKey, Key},
};

use super::{lossy, rebuild::is_generated, source::Source};
use crate::dialect::{names::quote, shape, types, write};

/// The hazards of a rebuild.
pub(crate) fn hazards(rebuild: &Rebuild) -> Vec<Hazard> {
    let at = Address::table(&rebuild.table);
    let says = "writes every row anew in one transaction: other writers wait, without WAL readers too, and the file grows by twice the table";
    let mut out = vec![Hazard::new(HazardCode::RebuildsTable, &at, says)];
    for column in &rebuild.from.columns {
        column_hazards(rebuild, column, &mut out);
    }
    for column in missing_values(rebuild) {
        let here = Address::column(&rebuild.table, &column.name);
        let says = "refuses NULL and has neither a default nor a transform: the table must have no rows";
        out.push(Hazard::new(HazardCode::NeedsEmptyTable, &here, says));
    }
    for (name, constraint) in &rebuild.to.constraints {
        if rebuild.from.constraints.get(name) == Some(constraint) {
            continue;
        }
        let here = Address::constraint(&rebuild.table, name);
        let (code, says) = match constraint.rule {
            Rule::Check { .. } => (HazardCode::CheckMayFail, "rows that break it stop the step"),
            Rule::ForeignKey(_) => (HazardCode::ForeignKeyMayFail, "rows without a parent stop the step"),
            _ => (HazardCode::UniqueMayFail, "duplicates stop the step"),
        };
        out.push(Hazard::new(code, &here, says));
        out.push(Hazard::new(HazardCode::TightensRule, &here, "running clients may write rows that it refuses"));
    }
    for (name, constraint) in &rebuild.from.constraints {
        let same = rebuild.to.constraints.values().any(|other| other.rule == constraint.rule);
        if rebuild.to.constraints.contains_key(name) || same {
            continue;
        }
        let here = Address::constraint(&rebuild.table, name);
        let key = constraint.key().is_some();
        let code = if key { HazardCode::DropsKey } else { HazardCode::DropsConstraint };
        out.push(Hazard::new(code, &here, "rows that it refused can be written from then on"));
    }
    out
}

fn column_hazards(rebuild: &Rebuild, column: &Column, out: &mut Vec<Hazard>) {
    let here = Address::column(&rebuild.table, &column.name);
    let Some(to) = rebuild.to.column(&column.name) else {
        let says = "clients that name it fail; its values are kept until `mig gc`";
        out.push(Hazard::new(HazardCode::DropColumn, &here, says));
        return;
    };
    if to.not_null && !column.not_null {
        out.push(Hazard::new(HazardCode::NotNullMayFail, &here, "rows with NULL stop the step"));
        out.push(Hazard::new(HazardCode::TightensRule, &here, "running clients may still write NULL"));
    }
    if column.not_null && !to.not_null {
        out.push(Hazard::new(HazardCode::NullableAgain, &here, "readers may meet NULL"));
    }
    let given = |c: &Column| matches!(c.value, ColumnValue::Default(_));
    if given(column) && !given(to) {
        out.push(Hazard::new(HazardCode::DefaultGone, &here, "writers that give no value get NULL or an error"));
    }
    let declared = rebuild.copy.iter().any(|c| c.to == column.name && c.declared.is_some());
    if declared {
        out.push(Hazard::new(
            HazardCode::OverwritesValues,
            &here,
            "its values are overwritten; the old ones are kept until `mig gc`",
        ));
    } else if lossy(&rebuild.from, column, &rebuild.to, to) {
        let says =
            format!("values of type `{}` become `{}` where SQLite can convert them", column.data_type, to.data_type);
        out.push(Hazard::new(HazardCode::CastMayFail, &here, says));
    }
}

/// New columns that refuse NULL and for which nothing gives existing rows a value.
fn missing_values(rebuild: &Rebuild) -> impl Iterator<Item = &Column> {
    let alias = shape::rowid_alias(&rebuild.to).map(|c| &c.name);
    rebuild.to.columns.iter().filter(move |column| {
        column.not_null
            && alias != Some(&column.name)
            && column.value == ColumnValue::Plain
            && !rebuild.copy.iter().any(|c| c.to == column.name)
    })
}

/// The questions to ask of the rows before a rebuild.
pub(crate) fn checks(rebuild: &Rebuild, source: &Source<'_>, before: &Schema) -> Result<Vec<DraftCheck>, Complaint> {
    let ask = Ask { rebuild, from: source.from(None)?, source, before };
    let mut out: Vec<DraftCheck> = missing_values(rebuild).map(|column| ask.no_rows(column)).collect();
    for column in &rebuild.to.columns {
        let was = rebuild.from.column(&column.name).is_some_and(|c| c.not_null);
        let implied = shape::rowid_alias(&rebuild.to).is_some_and(|alias| alias.name == column.name);
        let declared = source.set.contains_key(&column.name);
        if column.not_null && (!was || declared) && !implied && !is_generated(&column.value) {
            out.extend(ask.not_null(column));
        }
        if shape::is_strict(&rebuild.to) {
            out.extend(ask.strict(column));
        }
    }
    for (name, constraint) in &rebuild.to.constraints {
        if ask.may_break(name, constraint) {
            out.extend(ask.constraint(name, constraint));
        }
    }
    out.extend(before.references_to(&rebuild.table).filter_map(|(from, name, c)| ask.referrers(&from, name, c)));
    Ok(out)
}

struct Ask<'a> {
    rebuild: &'a Rebuild,
    source: &'a Source<'a>,
    before: &'a Schema,
    from: String,
}

impl Ask<'_> {
    /// The value that a column will have, over the source; `None` if only its default or its expression gives it one.
    fn value(&self, name: &Name) -> Option<String> {
        let old = || self.rebuild.from.column(name).map(|_| self.source.column(name));
        self.source.value_or_own(name).or_else(old)
    }

    /// The rows as they will be.
    fn rows(&self) -> String {
        let columns = self.rebuild.to.columns.iter().map(|column| {
            let default = match &column.value {
                ColumnValue::Default(value) => format!("({value})"),
                ColumnValue::Generated { expression, .. } if self.all_there() => format!("({expression})"),
                _ => "NULL".to_owned(),
            };
            format!("{} AS {}", self.value(&column.name).unwrap_or(default), quote(&column.name))
        });
        let mut items: Vec<_> = columns.collect();
        items.extend(self.source.key_columns().iter().enumerate().map(|(i, key)| format!("{key} AS _mig_key{i}")));
        format!("(SELECT {} FROM {}) AS {}", items.join(", "), self.from, quote(&self.rebuild.table.name))
    }

    /// Whether every plain column of the new table is one of the old, so that a generated column's expression can be evaluated.
    fn all_there(&self) -> bool {
        self.rebuild.to.columns.iter().all(|c| is_generated(&c.value) || self.rebuild.from.column(&c.name).is_some())
    }

    fn sample(&self, rows: &str, when: &str) -> Option<CheckSql> {
        let keys: Vec<_> = (0..self.source.key_columns().len()).map(|i| format!("_mig_key{i}")).collect();
        let sql = format!("SELECT {} FROM {rows}\nWHERE {when} LIMIT 5", keys.join(", "));
        (!keys.is_empty()).then(|| CheckSql::new(sql))
    }

    fn rule(&self, at: Address, says: String, help: &[&str], when: &str) -> DraftCheck {
        let rows = self.rows();
        DraftCheck {
            at,
            says,
            help: help.iter().map(|&line| line.to_owned()).collect(),
            count: CheckSql::new(format!("SELECT count(*) FROM {rows}\nWHERE {when}")),
            sample: self.sample(&rows, when),
            stops: true,
        }
    }

    fn no_rows(&self, column: &Column) -> DraftCheck {
        let help = [
            "give the column a default",
            "declare a transform that gives existing rows a value",
            "let the column be NULL: put `?` after its type",
        ];
        DraftCheck {
            at: Address::column(&self.rebuild.table, &column.name),
            says: format!("{} has no rows, or they would have no value for {}", self.rebuild.table, column.name),
            help: help.map(str::to_owned).to_vec(),
            count: CheckSql::new(format!("SELECT count(*) FROM {}", quote(&self.rebuild.table.name))),
            sample: None,
            stops: true,
        }
    }

    fn not_null(&self, column: &Column) -> Option<DraftCheck> {
        self.value(&column.name)?;
        let says = format!("no row has NULL in {}", column.name);
        let help =
            ["declare a transform that gives these rows a value", "let the column be NULL: put `?` after its type"];
        let at = Address::column(&self.rebuild.table, &column.name);
        Some(self.rule(at, says, &help, &format!("{} IS NULL", quote(&column.name))))
    }

    /// A STRICT table refuses values that its column type cannot take.
    fn strict(&self, column: &Column) -> Option<DraftCheck> {
        let was_strict = shape::is_strict(&self.rebuild.from);
        let same = self.rebuild.from.column(&column.name).is_some_and(|c| c.data_type == column.data_type);
        let declared = self.source.set.contains_key(&column.name);
        if was_strict && same && !declared {
            return None;
        }
        self.value(&column.name)?;
        let name = quote(&column.name);
        let wrong = match types::affinity(&column.data_type, true) {
            types::Affinity::Integer => format!(
                "typeof({name}) NOT IN ('null', 'integer') AND NOT (typeof({name}) IN ('text', 'real') AND typeof(CAST({name} AS NUMERIC)) = 'integer' AND {name} = CAST({name} AS NUMERIC))"
            ),
            types::Affinity::Real => format!(
                "typeof({name}) NOT IN ('null', 'integer', 'real') AND NOT (typeof({name}) = 'text' AND {name} = CAST({name} AS NUMERIC))"
            ),
            types::Affinity::Text => format!("typeof({name}) = 'blob'"),
            types::Affinity::Blob if column.data_type == "BLOB" => format!("typeof({name}) NOT IN ('null', 'blob')"),
            types::Affinity::Blob | types::Affinity::Numeric => return None,
        };
        let says = format!("every value of {} can be stored as {} in a strict table", column.name, column.data_type);
        let help = ["declare a transform that converts these values", "use the type `any`"];
        Some(self.rule(Address::column(&self.rebuild.table, &column.name), says, &help, &wrong))
    }

    /// Whether a constraint is new, or reads a value that is.
    fn may_break(&self, name: &Name, constraint: &Constraint) -> bool {
        let new = self.rebuild.from.constraints.get(name) != Some(constraint);
        let reset = |column: &Name| self.source.set.contains_key(column) && self.rebuild.from.column(column).is_some();
        new || constraint.columns().iter().any(reset)
    }

    fn constraint(&self, name: &Name, constraint: &Constraint) -> Option<DraftCheck> {
        let at = Address::constraint(&self.rebuild.table, name);
        match &constraint.rule {
            Rule::Check { expression } => {
                let says = format!("every row obeys the check {name}");
                Some(self.rule(
                    at,
                    says,
                    &["correct these rows", "declare a transform"],
                    &format!("NOT ({expression})"),
                ))
            }
            Rule::Unique(key) | Rule::PrimaryKey(key) => self.unique(at, key, constraint),
            Rule::ForeignKey(fk) => self.foreign_key(at, name, fk),
            Rule::Exclude { .. } => None,
        }
    }

    fn unique(&self, at: Address, key: &Key, constraint: &Constraint) -> Option<DraftCheck> {
        let known = key.columns.iter().all(|name| self.value(name).is_some());
        if !known || shape::rowid_alias(&self.rebuild.to).is_some_and(|alias| key.columns == [alias.name.clone()]) {
            return None;
        }
        let rows = self.rows();
        let collated = |name: &Name| {
            let own = self.rebuild.to.column(name).and_then(|c| c.collation.clone());
            let collation = constraint.options.get(&format!("collate.{}", name.as_str())).cloned().or(own);
            collation.map_or_else(|| quote(name), |c| format!("{} COLLATE {c}", quote(name)))
        };
        let group = key.columns.iter().map(collated).collect::<Vec<_>>().join(", ");
        let there: Vec<_> = key.columns.iter().map(|name| format!("{} IS NOT NULL", quote(name))).collect();
        let columns = key.columns.iter().map(quote).collect::<Vec<_>>().join(", ");
        let there = there.join(" AND ");
        let alike = format!("FROM {rows}\nWHERE {there}\nGROUP BY {group} HAVING count(*) > 1");
        Some(DraftCheck {
            at,
            says: format!("no two rows have the same {columns}"),
            help: vec!["remove or change the duplicates".to_owned()],
            count: CheckSql::new(format!("SELECT count(*) FROM (SELECT 1 {alike})")),
            sample: Some(CheckSql::new(format!("SELECT {columns} {alike} LIMIT 5"))),
            stops: true,
        })
    }

    /// Rows that refer to a key do not follow a transform of it.
    fn referrers(&self, from: &Qualified, name: &Name, constraint: &Constraint) -> Option<DraftCheck> {
        let fk = constraint.foreign_key()?;
        let referenced = shape::referenced(fk, self.before);
        let moves = referenced.iter().any(|c| self.source.set.contains_key(c) && self.rebuild.from.column(c).is_some());
        if !moves || referenced.len() != fk.columns.len() || referenced.iter().any(|c| self.value(c).is_none()) {
            return None;
        }
        let table = &self.rebuild.table;
        let itself = from == table;
        let rows = if itself { self.rows() } else { quote(&from.name) };
        let child = quote(&from.name);
        let there: Vec<_> = fk.columns.iter().map(|c| format!("{child}.{} IS NOT NULL", quote(c))).collect();
        let same = |parent: &str| {
            let pairs = fk.columns.iter().zip(&referenced);
            let pairs: Vec<_> = pairs.map(|(c, r)| format!("{parent}.{} = {child}.{}", quote(r), quote(c))).collect();
            pairs.join(" AND ")
        };
        let parents = format!("(SELECT * FROM {}) AS _mig_parent", self.rows());
        let mut when =
            format!("{} AND NOT EXISTS (SELECT 1 FROM {parents} WHERE {})", there.join(" AND "), same("_mig_parent"));
        if !itself {
            // What has no parent now does not lose one.
            let now = format!("SELECT 1 FROM {} AS _mig_now WHERE {}", quote(&table.name), same("_mig_now"));
            when.push_str(&format!(" AND EXISTS ({now})"));
        }
        Some(DraftCheck {
            at: Address::constraint(from, name),
            says: format!("no row of {from} refers by {name} to a key that the transform of {table} changes"),
            help: vec![
                "the rows that refer to it would not follow".to_owned(),
                format!("drop {name} in a plan of its own, change both tables by transforms, then add it again"),
            ],
            count: CheckSql::new(format!("SELECT count(*) FROM {rows}\nWHERE {when}")),
            sample: None,
            stops: true,
        })
    }

    fn foreign_key(&self, at: Address, name: &Name, fk: &ForeignKey) -> Option<DraftCheck> {
        let referenced = shape::referenced(fk, self.before);
        if referenced.len() != fk.columns.len() || fk.columns.iter().any(|column| self.value(column).is_none()) {
            return None;
        }
        let own = quote(&self.rebuild.table.name);
        let there: Vec<_> = fk.columns.iter().map(|c| format!("{} IS NOT NULL", quote(c))).collect();
        let pairs = fk.columns.iter().zip(&referenced);
        let pairs: Vec<_> = pairs.map(|(c, r)| format!("_mig_parent.{} = {own}.{}", quote(r), quote(c))).collect();
        let parent = quote(&fk.references.name);
        let when = format!(
            "{} AND NOT EXISTS (SELECT 1 FROM {parent} AS _mig_parent WHERE {})",
            there.join(" AND "),
            pairs.join(" AND ")
        );
        let says = format!("every row has its parent by {name} in {}", fk.references);
        Some(self.rule(at, says, &["add the missing parents", "set these references to NULL"], &when))
    }
}

/// Whether ADD COLUMN can add a column.
pub(crate) fn can_be_added(table: &Table, column: &Column) -> bool {
    let not_null = shape::says_not_null(table, column);
    match &column.value {
        ColumnValue::Plain => !not_null,
        ColumnValue::Default(value) => write::is_constant(value) && !(not_null && write::is_null(value)),
        ColumnValue::Generated { stored, .. } => !stored && !not_null,
        ColumnValue::Identity { .. } => false,
    }
}
