//! Rows that are declared no more, as SQL.

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, RenderedUndo,
    RowKey, Schema, Statement,
    dialect::DraftCheck,
    kind::{RefersToRows, Withdraw},
    plan::CheckSql,
    verify::Literal,
};

use super::{
    backfill::constant,
    kept,
    names::{list, quote},
    object::cannot,
    rows::work,
};

/// How rows of one table leave.
struct Writer<'a> {
    k: &'a Withdraw,
    table: String,
    /// The columns that a row is made of.
    made_of: Vec<&'a Name>,
    columns: String,
    key: Vec<Name>,
    /// Columns by which rows of the table refer to each other, one of each foreign key, as far as they may be NULL.
    loose: Vec<&'a Name>,
    kept: String,
}

impl<'a> Writer<'a> {
    fn new(change: &Kind, k: &'a Withdraw, before: &'a Schema) -> Result<Self, Complaint> {
        let absent = || cannot(&Address::table(&k.table), "the table is not there");
        let table = before.table(&k.table).ok_or_else(absent)?;
        let given = |column: &&Column| !matches!(column.value, ColumnValue::Generated { .. });
        let made_of: Vec<_> = table.columns.iter().filter(given).map(|column| &column.name).collect();
        let columns = list(made_of.iter().copied());
        let key: Vec<Name> = k.key().cloned().collect();
        let own = k.referrers.iter().filter(|refers| refers.table == k.table);
        let may_be_null = |name: &&Name| !key.contains(name) && table.column(name).is_some_and(|c| !c.not_null);
        let loose = own.filter_map(|refers| refers.columns.iter().find(may_be_null)).collect();
        Ok(Self { k, table: quote(&k.table.name), made_of, columns, key, loose, kept: quote(&kept::values(change)) })
    }

    /// The condition on a row of the table under its own name: a DELETE with an order takes no other.
    fn leaving(&self) -> String {
        self.k.is_leaving(|column, value| same(&self.table, column, value))
    }

    /// Makes the place where the rows are kept.
    fn place(&self) -> String {
        let Self { table, columns, kept, key, .. } = self;
        format!(
            "CREATE TABLE IF NOT EXISTS {kept} (PRIMARY KEY ({})) AS SELECT {columns} FROM {table} WHERE FALSE",
            list(key)
        )
    }

    /// The server looks at foreign keys row by row, so rows that must refer to others leave in an order: the last declared first.
    fn order(&self, row: &str, word: &str) -> String {
        if self.k.referrers.iter().filter(|refers| refers.table == self.k.table).count() == self.loose.len() {
            return String::new();
        }
        let arm = |(nth, key): (usize, &RowKey)| {
            let same: Vec<_> = key.iter().map(|(column, value)| same(row, column, value)).collect();
            format!("WHEN {} THEN {nth}", same.join(" AND "))
        };
        let arms: Vec<_> = self.k.rows.iter().enumerate().map(arm).collect();
        format!("\nORDER BY CASE {} END{word}", arms.join(" "))
    }

    fn sql(&self) -> Vec<String> {
        let Self { table, columns, kept, .. } = self;
        let leaving = self.leaving();
        let others = self.k.referrers.iter().filter(|refers| refers.table != self.k.table);
        let referred = others.map(|refers| {
            let same = refers.same("r", table, quote);
            format!("\n  AND NOT EXISTS (SELECT 1 FROM {} AS r WHERE {same})", quote(&refers.table.name))
        });
        let referred: String = referred.collect();
        let mut sql = vec![format!(
            "INSERT IGNORE INTO {kept} ({columns}) SELECT {columns} FROM {table}\nWHERE {leaving}\nFOR UPDATE"
        )];
        sql.extend(self.untied(table, &leaving));
        sql.push(format!("DELETE FROM {table} WHERE ({leaving}){referred}{}", self.order(table, " DESC")));
        sql
    }

    /// Lets rows refer to each other no more: the server keeps one that refers to itself.
    fn untied(&self, table: &str, leaving: &str) -> Option<String> {
        let set: Vec<_> = self.loose.iter().map(|name| format!("{} = NULL", quote(name))).collect();
        (!set.is_empty()).then(|| format!("UPDATE {table} SET {} WHERE {leaving}", set.join(", ")))
    }

    /// Brings the rows back: what refers to others of them once all are there.
    fn back(&self) -> Vec<String> {
        let Self { table, columns, kept, key, .. } = self;
        let same = kept::same_key(key, "k", "t");
        let value = |name: &&Name| if self.loose.contains(name) { "NULL".to_owned() } else { quote(name) };
        let values = self.made_of.iter().map(value).collect::<Vec<_>>().join(", ");
        let stands = format!("DELETE k FROM {kept} AS k JOIN {table} AS t ON {same}");
        let insert = format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {kept} AS k{}", self.order("k", ""));
        let set: Vec<_> = self.loose.iter().map(|name| format!("t.{0} = k.{0}", quote(name))).collect();
        let tied = format!("UPDATE {table} AS t JOIN {kept} AS k ON {same} SET {}", set.join(", "));
        if set.is_empty() { vec![stands, insert] } else { vec![stands, insert, tied] }
    }

    fn check(&self, refers: &RefersToRows) -> DraftCheck {
        let leaving = self.k.is_leaving(|column, value| same("t", column, value));
        let stays = refers.leaves(|column, value| same("r", column, value));
        let stays = stays.map(|leaves| format!("\n  AND NOT ({leaves})")).unwrap_or_default();
        let wrong = format!(
            "{} AS r JOIN {} AS t ON {} WHERE ({leaving}){stays}",
            quote(&refers.table.name),
            self.table,
            refers.same("r", "t", quote)
        );
        let shown: Vec<_> = refers.columns.iter().map(|c| format!("r.{}", quote(c))).collect();
        DraftCheck {
            at: Address::table(&refers.table),
            says: refers.says(&self.k.table),
            help: refers.help(&self.k.table),
            count: CheckSql::new(format!("SELECT COUNT(*) FROM {wrong}")),
            sample: Some(CheckSql::new(format!("SELECT {} FROM {wrong} LIMIT 5", shown.join(", ")))),
            stops: true,
        }
    }
}

/// The SQL that removes the rows.
pub(crate) fn render(change: &Kind, k: &Withdraw, before: &Schema) -> Result<Rendered, Complaint> {
    if k.rows.is_empty() {
        let (action, probe, lock) = (Action::Nothing {}, Probe::Shape {}, "nothing".to_owned());
        return Ok(Rendered { action, probe, lock, hazards: vec![], checks: vec![], gc: vec![] });
    }
    let writer = Writer::new(change, k, before)?;
    let mut action = work(vec![writer.place()], writer.sql());
    let (table, leaving) = (&writer.table, writer.leaving());
    if let Action::Transaction(work) = &mut action {
        work.none.push(Statement::new(format!("SELECT {} FROM {table} WHERE {leaving} LIMIT 1", list(&writer.key))));
    }
    let remaining = Statement::new(format!("SELECT COUNT(*) FROM {table} WHERE {leaving}"));
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: remaining, until: None },
        lock: format!("rows of {}", k.table),
        hazards: vec![Hazard::new(HazardCode::RemovesRows, &Address::table(&k.table), k.warning())],
        checks: k.referrers.iter().map(|refers| writer.check(refers)).collect(),
        gc: vec![Statement::new(format!("DROP TABLE IF EXISTS {}", writer.kept))],
    })
}

/// What brings the rows back.
pub(crate) fn undo(change: &Kind, k: &Withdraw, before: &Schema) -> Result<RenderedUndo, Complaint> {
    if k.rows.is_empty() {
        return Ok(RenderedUndo { says: "nothing".to_owned(), action: Action::Nothing {}, hazards: vec![] });
    }
    let writer = Writer::new(change, k, before)?;
    let mut sql = writer.back();
    sql.push(format!("DELETE FROM {}", writer.kept));
    let says = "brings the rows back, save those whose key is there again".to_owned();
    Ok(RenderedUndo { says, action: work(vec![writer.place()], sql), hazards: vec![] })
}

fn same(row: &str, column: &Name, value: &Literal) -> String {
    format!("{row}.{} = {}", quote(column), constant(value))
}
