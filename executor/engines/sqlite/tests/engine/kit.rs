//! A database file, and a small executor that carries out what the dialect renders.

use std::collections::{BTreeMap, BTreeSet};

use mig_executor::Driver;
use mig_plan::{
    Action, Address, Body, Context, Dialect, Draft, Fill, Group, Kind, Name, Object, ObjectKind, Probe, Qualified,
    Schema, Snapshot, Sql, Statement, Table,
    kind::{AddColumn, AddConstraint, AlterColumn, AlterTable, Create, Drop, DropColumn, DropConstraint, Replace},
};

/// A database file of its own.
pub(crate) struct File {
    dir: tempfile::TempDir,
    pub(crate) driver: Box<dyn Driver>,
}

impl File {
    /// A new database with these statements run.
    pub(crate) async fn with(sql: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, []).unwrap();
        let url = format!("sqlite://{}", path.display());
        let mut driver = mig_sqlite::connect(&url).await.unwrap();
        driver.execute(&Statement::new(sql)).await.unwrap();
        Self { dir, driver }
    }

    /// Its URL, for a second connection.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.dir.path().join("a.db").display())
    }

    /// All rows of all user tables, with rowids where there are any.
    pub(crate) async fn rows(&mut self) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
        let tables = "SELECT name, wr FROM pragma_table_list WHERE type = 'table' AND schema = 'main'
            AND name NOT LIKE '\\_mig\\_%' ESCAPE '\\' AND (name NOT LIKE 'sqlite%' OR name = 'sqlite_sequence')";
        let mut out = BTreeMap::new();
        for row in self.ask(tables).await {
            let name = row[0].clone().unwrap();
            let columns = format!("SELECT name FROM pragma_table_xinfo('{}') ORDER BY name", name.replace('\'', "''"));
            let mut list: Vec<_> =
                self.ask(&columns).await.into_iter().map(|c| quoted(c[0].as_ref().unwrap())).collect();
            if row[1].as_deref() == Some("0") && name != "sqlite_sequence" {
                list.insert(0, "rowid".to_owned());
            }
            let list: Vec<_> = list.iter().map(|c| format!("{c}, typeof({c})")).collect();
            let mut rows = self.ask(&format!("SELECT {} FROM {}", list.join(", "), quoted(&name))).await;
            rows.sort();
            // SQLite never takes this table of its own away again.
            if name != "sqlite_sequence" || !rows.is_empty() {
                out.insert(name, rows);
            }
        }
        out
    }

    /// Writes as another client would.
    pub(crate) async fn write(&mut self, sql: &str) {
        let done = self.driver.execute(&Statement::new(sql)).await;
        done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        let answer = self.driver.ask(&Statement::new(sql), usize::MAX).await;
        answer.unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    pub(crate) async fn pull(&mut self) -> Snapshot {
        self.driver.pull().await.unwrap()
    }

    /// Carries out an action, as the executor would.
    pub(crate) async fn run(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Nothing {} => Ok(()),
            Action::Statement(single) => {
                self.driver.execute_alone(&single.sql, &single.limits).await.map(|_| ()).map_err(|e| e.to_string())
            }
            Action::Transaction(transaction) => {
                for statement in &transaction.prepare {
                    self.driver.execute(statement).await.map_err(|e| e.to_string())?;
                }
                let done = self.transaction(transaction).await;
                if done.is_err() {
                    self.driver.rollback().await.unwrap();
                }
                for statement in &transaction.restore {
                    self.driver.execute(statement).await.map_err(|e| e.to_string())?;
                }
                done
            }
            Action::Batches(batches) => {
                for statement in &batches.prepare {
                    self.driver.execute(statement).await.map_err(|e| e.to_string())?;
                }
                let mut cursor = None;
                loop {
                    self.driver.begin(&batches.limits).await.unwrap();
                    let done = self.driver.batch(batches, cursor.as_ref(), None, 2).await.map_err(|e| e.to_string())?;
                    self.driver.commit().await.unwrap();
                    match done {
                        Some(done) => cursor = Some(done.cursor),
                        None => return Ok(()),
                    }
                }
            }
        }
    }

    async fn transaction(&mut self, transaction: &mig_plan::step::Transaction) -> Result<(), String> {
        self.driver.begin(&transaction.limits).await.map_err(|e| e.to_string())?;
        for statement in &transaction.sql {
            let done = self.driver.execute(statement).await;
            done.map_err(|e| format!("{e}\n{}", statement.sql()))?;
        }
        for statement in &transaction.none {
            let rows = self.driver.ask(statement, 5).await.map_err(|e| format!("{e}\n{}", statement.sql()))?;
            if !rows.is_empty() {
                return Err(format!("{} gave {rows:?}", statement.sql()));
            }
        }
        self.driver.commit().await.map_err(|e| e.to_string())
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// What a migration starts from besides the two schemas.
#[derive(Default)]
pub(crate) struct How<'a> {
    /// Declared renames: kinds as the compiler makes them.
    pub(crate) renames: Vec<Kind>,
    /// Base names of renamed columns, by goal address.
    pub(crate) columns: BTreeMap<Address, Name>,
    /// Expressions by table and column.
    pub(crate) fills: Vec<(&'a str, &'a str, &'a str)>,
}

/// A step that was carried out.
pub(crate) struct Done {
    pub(crate) change: Kind,
    pub(crate) undo: Action,
    pub(crate) hazards: Vec<String>,
    pub(crate) gc: Vec<Statement>,
}

/// Brings a database to a goal step by step, and asks after each whether the database is as the model says.
pub(crate) async fn migrate(file: &mut File, goal: &Schema, how: &How<'_>) -> Result<Vec<Done>, String> {
    let dialect = mig_sqlite::dialect("3", None);
    let snapshot = file.pull().await;
    let mut schema = snapshot.schema.0.clone();
    let mut done = Vec::new();
    for rename in &how.renames {
        step(file, &mut schema, rename, dialect.as_ref(), &mut done).await?;
    }
    let renamed = schema.clone();
    let tables = BTreeMap::new();
    let groups = groups(&renamed, goal, how);
    let context = Context {
        snapshot: &snapshot,
        renamed: &renamed,
        goal,
        tables: &tables,
        columns: &how.columns,
        groups: &groups,
        retyping: &groups.iter().collect::<Vec<_>>(),
    };
    let mut drafts: Vec<Draft> = Vec::new();
    for group in &groups {
        drafts.extend(dialect.recipe(group, &context).map_err(|c| c.says)?);
    }
    drafts.sort_by_key(|draft| rank(&draft.change));
    for draft in drafts {
        step(file, &mut schema, &draft.change, dialect.as_ref(), &mut done).await?;
        let last = done.last_mut().unwrap();
        last.hazards.extend(draft.hazards.iter().map(|h| h.code.title().to_owned()));
    }
    Ok(done)
}

/// Takes back everything, last first.
pub(crate) async fn undo(file: &mut File, done: &[Done]) {
    for step in done.iter().rev() {
        file.run(&step.undo).await.unwrap_or_else(|e| panic!("undoing {}: {e}", step.change.address()));
    }
}

async fn step(
    file: &mut File,
    schema: &mut Schema,
    change: &Kind,
    dialect: &dyn Dialect,
    done: &mut Vec<Done>,
) -> Result<(), String> {
    let before = schema.clone();
    schema.apply(change).map_err(|e| e.to_string())?;
    let rendered = dialect.render(change, &before, schema).map_err(|c| c.says)?;
    let undo = dialect.render_undo(change, &before, schema).map_err(|c| c.says)?;
    for check in &rendered.checks {
        let rows = file.ask(&check.count.sql()).await;
        if rows != [[Some("0".to_owned())]] {
            let sample = match &check.sample {
                Some(sample) => file.ask(&sample.sql()).await,
                None => Vec::new(),
            };
            return Err(format!("check: {} {rows:?} {sample:?}", check.says));
        }
    }
    file.run(&rendered.action).await?;
    if let Probe::Remaining { sql, .. } = &rendered.probe {
        assert_eq!(file.ask(&sql.sql()).await, [[Some("0".to_owned())]], "{}", sql.sql());
    }
    let touched = change.touches(&before);
    let seen = file.driver.observe(&touched).await.unwrap();
    for at in touched {
        let want = schema.objects.get(&at).map(|object| settled(object));
        let have = seen.get(&at).map(settled);
        assert_eq!(have, want, "after {} of {at}", change.slug());
    }
    let hazards = rendered.hazards.iter().map(|h| h.code.title().to_owned()).collect();
    done.push(Done { change: change.clone(), undo: undo.action, hazards, gc: rendered.gc });
    Ok(())
}

/// An object without what does not count: the order of columns.
pub(crate) fn settled(object: &Object) -> Object {
    let mut object = object.clone();
    if let Body::Table(table) = &mut object.body {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    object
}

pub(crate) fn settled_schema(schema: &Schema) -> BTreeMap<Address, Object> {
    schema.objects.iter().map(|(at, object)| (at.clone(), settled(object))).collect()
}

fn rank(change: &Kind) -> u8 {
    match change {
        Kind::Drop(drop) if drop.at.kind() == ObjectKind::Table => 4,
        Kind::Drop(drop) if drop.at.kind() == ObjectKind::Trigger => 0,
        Kind::Drop(_) => 1,
        Kind::Create(create) if create.at.kind() == ObjectKind::Table => 2,
        Kind::Create(create) if create.at.kind() == ObjectKind::Trigger => 7,
        Kind::Create(create) if create.at.kind() == ObjectKind::Index => 5,
        Kind::Create(_) | Kind::Replace(_) => 6,
        _ => 3,
    }
}

/// A difference as the compiler finds it, without spelling.
fn groups(live: &Schema, goal: &Schema, how: &How<'_>) -> Vec<Group> {
    let all: BTreeSet<&Address> = live.objects.keys().chain(goal.objects.keys()).collect();
    let mut out = Vec::new();
    for at in all {
        let set =
            how.fills.iter().filter(|(table, _, _)| at.kind() == ObjectKind::Table && at.name().as_str() == *table);
        let set: BTreeMap<Name, Sql> = set.map(|(_, column, sql)| (name(column), Sql::new(*sql))).collect();
        let fill = (!set.is_empty()).then_some(Fill {
            set,
            back: Default::default(),
            rows: Default::default(),
            batch_rows: None,
        });
        let changes: Vec<Kind> = match (live.objects.get(at), goal.objects.get(at)) {
            (Some(from), None) => vec![Drop::new(at.clone(), from.clone()).into()],
            (None, Some(to)) => vec![Create::new(at.clone(), to.clone()).into()],
            (Some(from), Some(to)) if from != to => match (&from.body, &to.body) {
                (Body::Table(from), Body::Table(to)) => table_changes(&at.qualified(), from, to),
                _ => vec![Replace { at: at.clone(), from: from.clone(), to: to.clone() }.into()],
            },
            _ => Vec::new(),
        };
        if !changes.is_empty() || fill.is_some() {
            out.push(Group { at: at.clone(), changes, fill });
        }
    }
    out
}

fn table_changes(at: &Qualified, from: &Table, to: &Table) -> Vec<Kind> {
    let mut out: Vec<Kind> = Vec::new();
    if from.options != to.options {
        out.push(AlterTable { table: at.clone(), from: from.options.clone(), to: to.options.clone() }.into());
    }
    for (name, constraint) in &from.constraints {
        if to.constraints.get(name) != Some(constraint) {
            let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
            out.push(DropConstraint { table, name, constraint }.into());
        }
    }
    for column in &from.columns {
        match to.column(&column.name) {
            None => out.push(DropColumn { table: at.clone(), column: column.clone() }.into()),
            Some(new) if new != column => {
                out.push(AlterColumn { table: at.clone(), from: column.clone(), to: new.clone(), using: None }.into());
            }
            Some(_) => {}
        }
    }
    for column in to.columns.iter().filter(|c| from.column(&c.name).is_none()) {
        out.push(AddColumn { table: at.clone(), column: column.clone() }.into());
    }
    for (name, constraint) in &to.constraints {
        if from.constraints.get(name) != Some(constraint) {
            let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
            out.push(AddConstraint { table, name, constraint }.into());
        }
    }
    out
}
