//! An engine in memory with a script of faults, so that crash tests need no server.
//!
//! Its statements are words: `change JSON` applies a change, `fill TABLE` and `unfill TABLE` do rows in batches, `left TABLE` counts
//! undone rows, `bad NAME` counts what a test said is wrong, `nothing` does nothing. Its catalog spells every text in parentheses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use mig_plan::{
    Address, Body, Complaint, Constraint, Context, Dialect, Draft, Group, Kind, Limits, Name, Object, OpenRun,
    Qualified, Remembered, Rendered, RenderedUndo, Sameness, Schema, Snapshot, Sql, StepId, UnknownType,
    schema::{Index, Live, Validity},
    step::{Batches, Statement},
};

use crate::{
    control::Signal,
    doctor::Symptom,
    driver::{BatchDone, Connector, Cursor, Driver, JournalLine, Lease, Rows, Session},
    failure::Failure,
    journal::Entry,
    rejects::Rejected,
    runs::runs,
};

/// What a transaction can change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The objects, as they were said.
    pub schema: Schema,
    /// Rows by table: whether each is done.
    pub rows: BTreeMap<String, Vec<bool>>,
    /// The journal.
    pub entries: Vec<Entry>,
    /// Records of spelling.
    pub remembered: BTreeSet<Remembered>,
    /// Kept documents by digest and name.
    pub kept: BTreeMap<(String, String), Vec<u8>>,
}

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server refuses it.
    Refused,
    /// Something passing stands in its way.
    Transient,
    /// The connection is lost before it happens.
    LostBefore,
    /// It happens, and the connection is lost before the reply.
    LostAfter,
    /// A statement outside a transaction leaves a half-done state and the connection is lost; other operations are lost before.
    Halfway,
}

/// The server: what is left when a session ends.
#[derive(Debug, Default)]
pub struct Server {
    /// What is committed.
    pub state: State,
    /// Faults by the number of the operation, from 1.
    pub faults: BTreeMap<u64, Fault>,
    /// Operations so far.
    pub ops: u64,
    /// Whether a loss takes the server out of reach, as a kill of the executor would.
    pub falls: bool,
    /// Whether it is out of reach.
    pub down: bool,
    /// Answers to `bad NAME`.
    pub bad: BTreeMap<String, u64>,
    /// What objects depend on, beside what is committed.
    pub depends: BTreeMap<Address, BTreeSet<Address>>,
    /// Statements that were executed, committed or not.
    pub log: Vec<String>,
    /// What is asked of runs.
    pub signals: BTreeMap<String, Signal>,
    sessions: u64,
    alive: BTreeSet<u64>,
    lease: Option<u64>,
}

/// The way to a server.
#[derive(Clone, Debug, Default)]
pub struct Fake(pub Arc<Mutex<Server>>);

impl Fake {
    /// A server with a schema.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let state = State { schema, ..State::default() };
        Self(Arc::new(Mutex::new(Server { state, ..Server::default() })))
    }

    /// The server, for a look or a change behind the executor's back.
    pub fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connector for Fake {
    async fn connect(&mut self) -> Result<Box<dyn Driver>, Failure> {
        let mut server = self.server();
        if server.down {
            return Err(Failure::Unreachable { says: "the fake is down".to_owned() });
        }
        server.sessions += 1;
        let id = server.sessions;
        server.alive.insert(id);
        drop(server);
        Ok(Box::new(FakeDriver { fake: self.clone(), id, open: None }))
    }
}

/// A session.
struct FakeDriver {
    fake: Fake,
    id: u64,
    open: Option<State>,
}

/// What an operation does to the state.
type Act<'a, T> = dyn FnOnce(&mut State) -> Result<T, Failure> + Send + 'a;

impl FakeDriver {
    fn lost(&mut self) -> Failure {
        self.open = None;
        let mut server = self.fake.server();
        server.alive.remove(&self.id);
        server.lease = server.lease.filter(|id| *id != self.id);
        server.down |= server.falls;
        Failure::Lost { says: "the fake lost the connection".to_owned() }
    }

    fn fault(&mut self) -> Result<Option<Fault>, Failure> {
        let mut server = self.fake.server();
        if !server.alive.contains(&self.id) {
            drop(server);
            return Err(self.lost());
        }
        server.ops += 1;
        let ops = server.ops;
        let fault = server.faults.remove(&ops);
        drop(server);
        match fault {
            Some(Fault::Refused) => Err(Failure::refused("the fake refuses")),
            Some(Fault::Transient) => Err(Failure::Transient { says: "the fake is busy".to_owned() }),
            Some(Fault::LostBefore) => Err(self.lost()),
            other => Ok(other),
        }
    }

    /// Does something to the open transaction, or to the server if none is open.
    fn act<T>(&mut self, act: Box<Act<'_, T>>) -> Result<T, Failure> {
        let fault = self.fault()?;
        if fault == Some(Fault::Halfway) {
            return Err(self.lost());
        }
        let done = match &mut self.open {
            Some(open) => act(open)?,
            None => act(&mut self.fake.server().state)?,
        };
        if fault == Some(Fault::LostAfter) { Err(self.lost()) } else { Ok(done) }
    }

    fn look<T>(&mut self, look: impl FnOnce(&State) -> T) -> Result<T, Failure> {
        if !self.fake.server().alive.contains(&self.id) {
            return Err(self.lost());
        }
        Ok(match &self.open {
            Some(open) => look(open),
            None => look(&self.fake.server().state),
        })
    }

    fn run(&mut self, statement: &Statement) -> Result<u64, Failure> {
        let sql = statement.sql();
        self.fake.server().log.push(sql.clone());
        self.act(Box::new(move |state| state.run(&sql)))
    }
}

impl State {
    fn run(&mut self, sql: &str) -> Result<u64, Failure> {
        let (verb, rest) = sql.split_once(' ').unwrap_or((sql, ""));
        match verb {
            "change" => {
                let change: Kind = serde_json::from_str(rest).map_err(|e| Failure::broken(e.to_string()))?;
                self.schema.apply(&change).map_err(|e| Failure::refused(e.to_string()))?;
                Ok(0)
            }
            "fill" | "unfill" => {
                let rows = self.rows.entry(rest.to_owned()).or_default();
                rows.iter_mut().for_each(|row| *row = verb == "fill");
                Ok(rows.len() as u64)
            }
            "nothing" => Ok(0),
            _ => Err(Failure::refused(format!("the fake does not know `{sql}`"))),
        }
    }

    fn batch(&mut self, sql: &str, from: usize, most: usize) -> Option<(usize, u64)> {
        let (verb, table) = sql.split_once(' ').unwrap_or((sql, ""));
        let rows = self.rows.entry(table.to_owned()).or_default();
        let to = rows.len().min(from + most);
        if from >= to {
            return None;
        }
        rows[from..to].iter_mut().for_each(|row| *row = verb == "fill");
        Some((to, (to - from) as u64))
    }
}

/// An object as the catalog gives it back: every text in parentheses.
#[must_use]
pub fn deparsed(object: &Object) -> Object {
    let mut object = object.clone();
    object.each_text(&mut |sql| {
        if !sql.0.starts_with('(') {
            *sql = Sql::new(format!("({sql})"));
        }
    });
    object
}

#[async_trait]
impl Driver for FakeDriver {
    fn dialect(&self) -> &dyn Dialect {
        &FakeDialect
    }

    async fn writable(&mut self) -> Result<Result<(), String>, Failure> {
        Ok(Ok(()))
    }

    async fn pull(&mut self) -> Result<Snapshot, Failure> {
        let depends = self.fake.server().depends.clone();
        self.look(|state| {
            let objects = state.schema.objects.iter().map(|(at, object)| (at.clone(), deparsed(object).into()));
            let open = runs(&state.entries).into_iter().filter(|run| !run.is_closed());
            let open = open.map(|run| OpenRun { run: run.run, plan: run.plan, reserved: run.reserved });
            let mut snapshot = Snapshot::empty("fake", "1", None);
            snapshot.schema = Live(Schema { objects: objects.collect() });
            snapshot.depends = depends;
            snapshot.remembered = state.remembered.iter().cloned().collect();
            snapshot.open_runs = open.collect();
            snapshot
        })
    }

    async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Failure> {
        self.look(|state| {
            of.iter().filter_map(|at| Some((at.clone(), deparsed(state.schema.objects.get(at)?)))).collect()
        })
    }

    async fn lease(&mut self, _: Duration) -> Result<Lease, Failure> {
        let mut server = self.fake.server();
        match server.lease {
            Some(id) if id != self.id => Ok(Lease::Held { by: format!("session {id}") }),
            _ => {
                server.lease = Some(self.id);
                Ok(Lease::Taken)
            }
        }
    }

    async fn release(&mut self) -> Result<(), Failure> {
        let mut server = self.fake.server();
        server.lease = server.lease.filter(|id| *id != self.id);
        Ok(())
    }

    async fn install(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn session(&mut self) -> Result<Session, Failure> {
        Ok(Session(self.id.into()))
    }

    async fn settled(&mut self, session: &Session, _: Duration) -> Result<bool, Failure> {
        Ok(session.0.as_u64().is_none_or(|id| !self.fake.server().alive.contains(&id)))
    }

    async fn begin(&mut self, _: &Limits) -> Result<(), Failure> {
        let state = self.act(Box::new(|state| Ok(state.clone())))?;
        if self.open.replace(state).is_some() {
            return Err(Failure::broken("a transaction is open already"));
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let fault = self.fault();
        let fault = match fault {
            Ok(Some(Fault::Halfway)) => return Err(self.lost()),
            Ok(fault) => fault,
            Err(failure) => {
                self.open = None;
                return Err(failure);
            }
        };
        let Some(state) = self.open.take() else { return Err(Failure::broken("no transaction is open")) };
        self.fake.server().state = state;
        if fault.is_some() { Err(self.lost()) } else { Ok(()) }
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        self.open = None;
        self.look(|_| ())
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, Failure> {
        self.run(statement)
    }

    async fn execute_alone(&mut self, statement: &Statement, _: &Limits) -> Result<u64, Failure> {
        if self.open.is_some() {
            return Err(Failure::broken("a transaction is open"));
        }
        let next = self.fake.server().ops + 1;
        if self.fake.server().faults.get(&next) == Some(&Fault::Halfway) {
            let sql = statement.sql();
            let halved = sql.strip_prefix("change ").and_then(|json| serde_json::from_str(json).ok()).and_then(half);
            if let Some(change) = halved {
                let applied = self.fake.server().state.schema.apply(&change);
                applied.map_err(|e| Failure::refused(e.to_string()))?;
            }
        }
        self.run(statement)
    }

    async fn stream(&mut self, statement: &Statement, to: &mut dyn Rows) -> Result<(), Failure> {
        for (nth, row) in self.ask(statement, usize::MAX).await?.into_iter().enumerate() {
            if nth == 0 {
                to.columns((1..=row.len()).map(|n| format!("column{n}")).collect());
            }
            to.row(row);
        }
        Ok(())
    }

    async fn ask(&mut self, statement: &Statement, _: usize) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sql = statement.sql();
        let (verb, rest) = sql.split_once(' ').unwrap_or((&sql, ""));
        let bad = self.fake.server().bad.get(rest).copied().unwrap_or(0);
        let answer = |n: u64| vec![vec![Some(n.to_string())]];
        self.look(|state| match verb {
            "left" => {
                let left = state.rows.get(rest).map_or(0, |rows| rows.iter().filter(|done| !**done).count());
                answer(left as u64)
            }
            "bad" => answer(bad),
            "sample" => vec![vec![Some("7".to_owned())]; usize::try_from(bad).unwrap_or(0).min(1)],
            _ => Vec::new(),
        })
    }

    async fn batch(
        &mut self,
        batches: &Batches,
        cursor: Option<&Cursor>,
        _end: Option<&[Option<String>]>,
        rows: u32,
    ) -> Result<Option<BatchDone>, Failure> {
        let from = cursor.and_then(|c| c.0.as_u64()).unwrap_or(0);
        let (from, most) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(rows).unwrap_or(usize::MAX));
        let sql = batches.next.sql.first().map(Statement::sql).unwrap_or_default();
        let done = self.act(Box::new(move |state| Ok(state.batch(&sql, from, most))))?;
        Ok(done.map(|(to, rows)| BatchDone { cursor: Cursor(to.into()), rows }))
    }

    async fn append(&mut self, entry: &Entry) -> Result<(), Failure> {
        let entry = entry.clone();
        self.act(Box::new(move |state| {
            state.entries.push(entry);
            Ok(())
        }))
    }

    async fn entries(&mut self) -> Result<Vec<Entry>, Failure> {
        self.look(|state| state.entries.clone())
    }

    async fn lines(&mut self) -> Result<Vec<JournalLine>, Failure> {
        let line = |entry: &Entry| JournalLine {
            seq: entry.seq.to_string(),
            entry: serde_json::to_string(entry).unwrap_or_default(),
            beside: None,
        };
        self.look(|state| state.entries.iter().map(line).collect())
    }

    async fn remember(&mut self, records: &[Remembered]) -> Result<(), Failure> {
        let records = records.to_vec();
        self.act(Box::new(move |state| {
            state.remembered.extend(records);
            Ok(())
        }))
    }

    async fn remembered(&mut self) -> Result<Vec<Remembered>, Failure> {
        self.look(|state| state.remembered.iter().cloned().collect())
    }

    async fn keep(&mut self, digest: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (key, bytes) = ((digest.to_owned(), name.to_owned()), bytes.to_vec());
        self.act(Box::new(move |state| {
            state.kept.insert(key, bytes);
            Ok(())
        }))
    }

    async fn kept(&mut self, digest: &str, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let key = (digest.to_owned(), name.to_owned());
        self.look(|state| state.kept.get(&key).cloned())
    }

    async fn reject(&mut self, _: &str, _: &StepId, _: &[Rejected]) -> Result<(), Failure> {
        Ok(())
    }

    async fn rejects(&mut self, _: &str) -> Result<Vec<Rejected>, Failure> {
        Ok(Vec::new())
    }

    async fn examine(&mut self) -> Result<Vec<Symptom>, Failure> {
        Ok(Vec::new())
    }

    async fn signal(&mut self, run: &str, signal: Option<&Signal>) -> Result<(), Failure> {
        let mut server = self.fake.server();
        match signal {
            Some(signal) => server.signals.insert(run.to_owned(), signal.clone()),
            None => server.signals.remove(run),
        };
        Ok(())
    }

    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure> {
        Ok(self.fake.server().signals.get(run).cloned())
    }

    async fn close(&mut self) -> Result<(), Failure> {
        self.open = None;
        let mut server = self.fake.server();
        server.alive.remove(&self.id);
        server.lease = server.lease.filter(|id| *id != self.id);
        Ok(())
    }
}

impl Drop for FakeDriver {
    fn drop(&mut self) {
        let mut server = self.fake.server();
        server.alive.remove(&self.id);
        server.lease = server.lease.filter(|id| *id != self.id);
    }
}

/// What an interrupted change leaves behind: an index that no query may use.
fn half(change: Kind) -> Option<Kind> {
    let Kind::Create(mut create) = change else { return None };
    let Body::Index(index) = &mut Arc::make_mut(&mut create.object).body else { return None };
    index.validity = Validity::NotValid;
    Some(Kind::Create(create))
}

/// The pure half: two texts are the same if only case differs; parentheses it cannot see through.
#[derive(Clone, Copy, Debug)]
pub struct FakeDialect;

fn cannot<T>(at: &Address) -> Result<T, Complaint> {
    Err(Complaint { at: at.clone(), says: "the fake renders nothing".to_owned(), help: None })
}

impl Dialect for FakeDialect {
    fn engine(&self) -> &'static str {
        "fake"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn default_schema(&self) -> Option<Name> {
        None
    }

    fn quote(&self, name: &Name) -> String {
        name.to_string()
    }

    fn check_name(&self, _: &Name) -> Result<(), String> {
        Ok(())
    }

    fn data_type(&self, declared: &str, _: &Schema) -> Result<String, UnknownType> {
        Ok(declared.to_owned())
    }

    fn default_constraint_name(&self, table: &Qualified, _: &Constraint, _: &BTreeSet<Name>) -> Name {
        table.name.clone()
    }

    fn default_index_name(&self, index: &Index, _: &BTreeSet<Name>) -> Name {
        index.table.name.clone()
    }

    fn normalize(&self, declared: Schema) -> Result<Schema, Vec<Complaint>> {
        Ok(declared)
    }

    fn same_text(&self, _: &Object, declared: &Sql, catalog: &Sql) -> Sameness {
        if declared.0.eq_ignore_ascii_case(&catalog.0) {
            Sameness::Same
        } else if declared.0.starts_with('(') && catalog.0.starts_with('(') {
            Sameness::Different
        } else {
            Sameness::Unknown
        }
    }

    fn references(&self, _: &Address, _: &Object, _: &Schema) -> BTreeSet<Address> {
        BTreeSet::new()
    }

    fn mentions(&self, _: &Sql) -> BTreeSet<Name> {
        BTreeSet::new()
    }

    fn text(&self, text: &str) -> String {
        format!("'{text}'")
    }

    fn as_literal(&self, column: &mig_plan::Column) -> String {
        column.name.to_string()
    }

    fn kept(&self, _: &mig_plan::Kind) -> Vec<mig_plan::Qualified> {
        Vec::new()
    }

    fn columns_of(&self, table: &mig_plan::Qualified) -> mig_plan::Statement {
        mig_plan::Statement::new(format!("columns of {table}"))
    }

    fn as_text(&self, value: &str) -> String {
        value.to_owned()
    }

    fn uuid(&self, _: mig_plan::UuidVersion, _: &str, name: &Sql, _: &Schema) -> Result<Sql, String> {
        Ok(name.clone())
    }

    fn unsteady(&self, _: &mig_plan::Sql) -> Option<String> {
        None
    }

    fn mapped(&self, value: &str, _: &[(String, mig_plan::verify::Literal)], _: &str) -> mig_plan::Sql {
        mig_plan::Sql::new(value)
    }

    fn recipe(&self, group: &Group, _: &Context<'_>) -> Result<Vec<Draft>, Complaint> {
        cannot(&group.at)
    }

    fn render(&self, change: &Kind, _: &Schema, _: &Schema) -> Result<Rendered, Complaint> {
        cannot(&change.address())
    }

    fn render_undo(&self, change: &Kind, _: &Schema, _: &Schema) -> Result<RenderedUndo, Complaint> {
        cannot(&change.address())
    }
}
