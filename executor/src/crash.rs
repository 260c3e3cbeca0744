//! Every fault at every operation of a plan, forth and back: doing it again ends where the undisturbed run ends.

use std::{collections::BTreeMap, time::Duration};

use mig_plan::{
    Action, Address, Body, CheckSql, Column, ColumnValue, Constraint, Fingerprint, Footing, Kind, Limits, Name, Object,
    ObjectKind, PLAN_FORMAT, Phase, Plan, Probe, Qualified, Rule, Schema, Sql, Step, Table, Target, Undo,
    kind::{AddColumn, AddConstraint, AlterColumn, Backfill, Create, ValidateConstraint},
    plan::{Check, base_fingerprint, stamp, step_id, summarize},
    schema::{Index, IndexPart, IndexedBy, Source, Validity, View},
    step::{Batch, Batches, Partial, Single, Statement, Transaction},
};

use crate::{
    Event, Outcome, Pace, Progress, Report, Request, RollbackRequest, RunStatus, Silent, Stop, Which, apply,
    chain::Chain,
    describe::Fact,
    fake::{Fake, Fault, State},
    rollback,
    runs::runs,
};

const LIMITS: Limits = Limits { lock_ms: 10, statement_ms: 10, attempts: 3 };

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn users() -> Qualified {
    Qualified::new(None, name("users"))
}

fn column(text: &str) -> Column {
    Column {
        name: name(text),
        data_type: "text".to_owned(),
        not_null: false,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    }
}

fn base() -> Schema {
    let table = Table { columns: vec![column("id"), column("name")], ..Table::default() };
    Schema { objects: [(Address::table(&users()), Object::new(Body::Table(table)).into())].into() }
}

fn change(kind: &Kind) -> Statement {
    Statement::new(format!("change {}", serde_json::to_string(kind).unwrap()))
}

fn transaction(sql: Vec<Statement>) -> Action {
    let nothing = || vec![Statement::new("nothing")];
    let (prepare, lock, restore, none) = (nothing(), nothing(), nothing(), nothing());
    Action::Transaction(Transaction { prepare, lock, sql, none, rejects: None, restore, limits: LIMITS })
}

fn batches(verb: &str) -> Action {
    let batch = Batch { bound: Statement::new("bound"), sql: vec![Statement::new(format!("{verb} users"))] };
    Action::Batches(Batches {
        key: vec!["id".to_owned()],
        rows: 3,
        min_rows: 1,
        max_rows: 4,
        target_ms: 1000,
        prepare: vec![Statement::new("nothing")],
        first: batch.clone(),
        next: batch,
        end: None,
        leaves_late: false,
        before: vec![],
        rejects: None,
        sample: None,
        limits: LIMITS,
    })
}

fn index(validity: Validity) -> Object {
    let part = IndexPart {
        what: IndexedBy::Expression(Sql::new("lower(full_name)")),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
    };
    Object::new(Body::Index(Index {
        table: users(),
        unique: false,
        method: None,
        parts: vec![part],
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity,
    }))
}

/// A plan's changes in order, with the phase and the atomic mark of each.
fn changes() -> Vec<(Kind, Phase, Option<&'static str>)> {
    let trigger = Address::member(ObjectKind::Trigger, &users(), name("sync"));
    let source = Source { create: vec![Sql::new("create trigger sync")], needs: [Address::table(&users())].into() };
    let mut check = Constraint::new(Rule::Check { expression: Sql::new("full_name <> ''") });
    check.validity = Validity::NotValid;
    let check = AddConstraint { table: users(), name: name("full"), constraint: check };
    let mut wanted = column("full_name");
    wanted.value = ColumnValue::Default(Sql::new("upper('x')"));
    let fill = Backfill {
        table: users(),
        alias: name("users"),
        set: [(name("full_name"), Sql::new("name"))].into(),
        columns: BTreeMap::new(),
        overwrites: false,
        rows: Default::default(),
        batch_rows: None,
    };
    let view = View { query: Sql::new("select full_name from users"), columns: Vec::new(), options: BTreeMap::new() };
    let (view, at) = (Object::new(Body::View(view)), Address::new(ObjectKind::View, &Qualified::new(None, name("v"))));
    let index_at = Address::index(&Qualified::new(None, name("users_lower")));
    vec![
        (AddColumn { table: users(), column: column("full_name") }.into(), Phase::Expand, None),
        (Create::new(trigger, Object::new(Body::Source(source))).into(), Phase::Expand, None),
        (Create::new(index_at, index(Validity::Valid)).into(), Phase::Expand, None),
        (fill.into(), Phase::Backfill, None),
        (check.into(), Phase::Switch, Some("a")),
        (
            ValidateConstraint { table: users(), name: name("full"), stood: false, forgets: false }.into(),
            Phase::Switch,
            Some("a"),
        ),
        (Create::new(at, view).into(), Phase::Switch, Some("a")),
        (
            AlterColumn { table: users(), from: column("full_name"), to: wanted, using: None }.into(),
            Phase::Contract,
            None,
        ),
    ]
}

fn step(kind: &Kind, phase: Phase, atomic: Option<&str>, before: &Schema, after: &Schema) -> Step {
    let reverse = kind.reverse(before);
    let undo = reverse.as_ref().map_or(Action::Nothing {}, |kind| transaction(vec![change(kind)]));
    let (action, undo, probe) = match kind {
        Kind::Backfill(_) => {
            (batches("fill"), batches("unfill"), Probe::Remaining { sql: Statement::new("left users"), until: None })
        }
        Kind::Create(create) if create.at.kind() == ObjectKind::Index => {
            let half = index(Validity::NotValid);
            let repair = change(&mig_plan::kind::Drop::new(create.at.clone(), half.clone()).into());
            let partial = Partial { state: [(create.at.clone(), Some(half.into()))].into(), repair };
            let alone = |sql, partial| {
                Action::Statement(Single { prepare: vec![], sql, restore: vec![], limits: LIMITS, partial })
            };
            let back = alone(change(reverse.as_ref().unwrap()), None);
            (alone(change(kind), Some(partial)), back, Probe::Shape {})
        }
        _ => (transaction(vec![Statement::new("nothing"), change(kind)]), undo, Probe::Shape {}),
    };
    let touched = kind.touches(before);
    Step {
        id: step_id(kind),
        kind: kind.slug().to_owned(),
        phase,
        class: mig_plan::Class::Routine,
        why: "a test".to_owned(),
        needs: Vec::new(),
        lock: String::new(),
        atomic: atomic.map(str::to_owned),
        group: None,
        action,
        probe,
        before: stamp(before, &touched),
        after: stamp(after, &touched),
        undo: Undo { says: "back".to_owned(), change: reverse, action: undo },
        hazards: Vec::new(),
        tried: false,
        gc: Vec::new(),
        change: kind.clone(),
    }
}

fn plan_of(changes: &[(Kind, Phase, Option<&str>)]) -> Plan {
    let mut state = base();
    let mut steps = Vec::new();
    let mut reserved: std::collections::BTreeSet<Address> = base().objects.keys().cloned().collect();
    for (kind, phase, atomic) in changes {
        let mut after = state.clone();
        after.apply(kind).unwrap();
        reserved.extend(kind.touches(&state));
        steps.push(step(kind, *phase, *atomic, &state, &after));
        state = after;
    }
    let footprint: Vec<_> = reserved
        .iter()
        .map(|at| Footing { at: at.clone(), object: base().objects.get(at).cloned(), dependents: [].into() })
        .collect();
    let check = Check {
        step: steps[0].id.clone(),
        at: Address::table(&users()),
        says: "every user has a name".to_owned(),
        help: vec!["give them one".to_owned()],
        count: CheckSql::new("bad names"),
        sample: Some(CheckSql::new("sample names")),
        stops: true,
        at_most: 0,
        first: false,
    };
    Plan {
        format: PLAN_FORMAT.to_owned(),
        compiler: "test".to_owned(),
        target: Target { name: None, engine: "fake".to_owned(), version: "1".to_owned() },
        base: base_fingerprint(&footprint),
        goal: stamp(&state, &reserved),
        specs: Fingerprint::of_bytes(b""),
        summary: summarize(&steps),
        checks: vec![check],
        declared: vec![],
        probes: vec![],
        datasets: vec![],
        backups: vec![],
        steps,
        footprint,
    }
}

fn plan() -> Plan {
    plan_of(&changes())
}

fn pace() -> Pace {
    Pace { lock_wait: Duration::ZERO, backoff: Duration::from_micros(10), reconnect: Duration::ZERO }
}

fn request() -> Request {
    let plan = plan();
    Request {
        bytes: plan.to_bytes(),
        plan,
        title: "test".to_owned(),
        approved_by: vec![("alice".to_owned(), "key".to_owned())],
        signatures: vec![("a.sig".to_owned(), b"sig".to_vec())],
        through: None,
        dry_run: false,
        again: false,
        monitor: crate::MonitorPolicy::default(),
        parallel: std::num::NonZeroUsize::MIN,
        pace: pace(),
        filing: None,
    }
}

fn back() -> RollbackRequest {
    let which = Which::Plan(plan().digest());
    RollbackRequest { which, dry_run: false, pace: pace(), filing: None }
}

fn server() -> Fake {
    let fake = Fake::new(base());
    fake.server().state.rows.insert("users".to_owned(), vec![false; 10]);
    fake
}

async fn up(fake: &Fake) -> Result<Outcome, Stop> {
    apply(&mut fake.clone(), &request(), &mut Silent).await
}

async fn down(fake: &Fake) -> Result<Outcome, Stop> {
    rollback(&mut fake.clone(), &back(), &mut Silent).await
}

/// What must be alike: all but times, sessions and the length of the journal.
fn essence(state: &State) -> impl PartialEq + std::fmt::Debug {
    Chain::verify(&state.entries).unwrap();
    let runs = runs(&state.entries);
    assert_eq!(runs.len(), 1, "one run, however often it was interrupted");
    let run = runs.last().unwrap().clone();
    (state.schema.clone(), state.rows.clone(), state.remembered.clone(), run.status, run.done, run.undone)
}

async fn applied() -> Fake {
    let fake = server();
    assert!(matches!(up(&fake).await.unwrap(), Outcome::Done { here: 8, .. }));
    fake
}

/// Operations and state of a server, under one lock.
fn seen(fake: &Fake) -> (u64, State) {
    let server = fake.server();
    (server.ops, server.state.clone())
}

const FAULTS: [Fault; 5] = [Fault::Refused, Fault::Transient, Fault::LostBefore, Fault::LostAfter, Fault::Halfway];

#[tokio::test]
async fn apply_then_apply_then_back() {
    let fake = applied().await;
    let state = fake.server().state.clone();
    assert!(matches!(up(&fake).await.unwrap(), Outcome::NothingToDo { run: Some(_) }));
    assert_eq!(fake.server().state, state, "the second apply writes nothing");
    assert_eq!(state.rows["users"], vec![true; 10]);
    assert!(!state.remembered.is_empty());
    assert!(matches!(down(&fake).await.unwrap(), Outcome::RolledBack { here: 8, .. }));
    assert_eq!(fake.server().state.schema, base());
    assert_eq!(fake.server().state.rows["users"], vec![false; 10]);
    assert!(matches!(down(&fake).await.unwrap(), Outcome::NothingToDo { .. }));
    assert!(matches!(up(&fake).await.unwrap_err(), Stop::WasRolledBack { .. }));
    let again = Request { again: true, ..request() };
    assert!(matches!(apply(&mut fake.clone(), &again, &mut Silent).await.unwrap(), Outcome::Done { .. }));
}

#[tokio::test]
async fn every_fault_at_every_operation_forth() {
    let calm = applied().await;
    let (ops, calm) = seen(&calm);
    for at in 1..=ops {
        for fault in FAULTS {
            for falls in [false, true] {
                let fake = server();
                fake.server().faults.insert(at, fault);
                fake.server().falls = falls;
                let first = up(&fake).await;
                if let Err(stop) = &first {
                    assert!(matches!(stop.exit_code(), 1 | 5 | 6), "{at} {fault:?}: {stop}");
                }
                fake.server().down = false;
                let second = up(&fake).await.unwrap_or_else(|stop| panic!("{at} {fault:?} {falls}: {stop}"));
                assert!(matches!(second, Outcome::Done { .. } | Outcome::NothingToDo { .. }));
                assert_eq!(essence(&fake.server().state), essence(&calm), "{at} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_operation_back() {
    let calm = applied().await;
    let before = calm.server().ops;
    down(&calm).await.unwrap();
    let (ops, calm) = seen(&calm);
    for at in before + 1..=ops {
        for fault in FAULTS {
            for falls in [false, true] {
                let fake = applied().await;
                fake.server().faults.insert(at, fault);
                fake.server().falls = falls;
                let first = down(&fake).await;
                if let Err(stop) = &first {
                    assert!(matches!(stop.exit_code(), 1 | 5 | 6), "{at} {fault:?}: {stop}");
                }
                fake.server().down = false;
                down(&fake).await.unwrap_or_else(|stop| panic!("{at} {fault:?} {falls}: {stop}"));
                assert_eq!(essence(&fake.server().state), essence(&calm), "{at} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_run_stopped_anywhere_rolls_back_to_base() {
    let ops = applied().await.server().ops;
    for at in 1..=ops {
        for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Halfway] {
            let fake = server();
            fake.server().faults.insert(at, fault);
            fake.server().falls = true;
            if up(&fake).await.is_ok() {
                continue;
            }
            fake.server().down = false;
            match down(&fake).await {
                Ok(_) => {}
                Err(Stop::NoSuchRun { .. }) => {}
                Err(stop) => panic!("{at} {fault:?}: {stop}"),
            }
            assert_eq!(fake.server().state.schema, base(), "{at} {fault:?}");
            assert_eq!(fake.server().state.rows["users"], vec![false; 10], "{at} {fault:?}");
        }
    }
}

#[tokio::test]
async fn drift_is_refused_readably() {
    let fake = server();
    let extra = AddColumn { table: users(), column: column("email") };
    fake.server().state.schema.apply(&extra.into()).unwrap();
    let stop = up(&fake).await.unwrap_err();
    assert_eq!(stop.exit_code(), 4);
    assert!(stop.to_string().contains("table users\n  + column email: text"), "{stop}");
    assert!(fake.server().state.entries.is_empty());
}

#[tokio::test]
async fn a_new_dependent_is_drift() {
    let fake = server();
    let view = Address::new(ObjectKind::View, &Qualified::new(None, name("theirs")));
    fake.server().depends.insert(view.clone(), [Address::column(&users(), &name("name"))].into());
    let Stop::Drift { difference, .. } = up(&fake).await.unwrap_err() else { panic!("not drift") };
    assert_eq!(difference.objects[0].at, view);
    assert_eq!(difference.objects[0].facts, [Fact::Dependent { on: Address::table(&users()) }]);
}

#[tokio::test]
async fn column_order_never_counts() {
    let fake = server();
    fake.server().state.schema.table_mut(&users()).unwrap().columns.reverse();
    assert!(matches!(up(&fake).await.unwrap(), Outcome::Done { .. }));
}

#[tokio::test]
async fn checks_refuse_before_the_first_write() {
    let fake = server();
    fake.server().bad.insert("names".to_owned(), 3);
    let Stop::CheckFailed { failures, .. } = up(&fake).await.unwrap_err() else { panic!("not a check") };
    assert_eq!((failures[0].count, failures[0].samples.as_slice()), (Some(3), ["7".to_owned()].as_slice()));
    assert!(fake.server().state.entries.is_empty());
    assert!(fake.server().log.is_empty());
}

#[tokio::test]
async fn a_pause_waits_and_goes_on() {
    let fake = server();
    let through = Request { through: Some(Phase::Switch), ..request() };
    for _ in 0..2 {
        let outcome = apply(&mut fake.clone(), &through, &mut Silent).await.unwrap();
        let Outcome::Paused { remaining, .. } = outcome else { panic!("not paused") };
        assert_eq!(remaining.len(), 1);
    }
    let status = crate::status(&mut *crate::Connector::connect(&mut fake.clone()).await.unwrap()).await.unwrap();
    assert_eq!((status.open.len(), status.open[0].phase), (1, Some(Phase::Contract)));
    assert!(matches!(up(&fake).await.unwrap(), Outcome::Done { here: 1, .. }));
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let fake = server();
    let before = fake.server().state.clone();
    let dry = Request { dry_run: true, ..request() };
    let outcome = apply(&mut fake.clone(), &dry, &mut Silent).await.unwrap();
    assert!(matches!(outcome, Outcome::DryRun { would, .. } if would.len() == 8));
    // What it tried was taken back, wherever it was cut short.
    assert_eq!(fake.server().state, before);
    let of = fake.server().ops;
    for (at, fault) in (1..=of).flat_map(|at| FAULTS.map(|fault| (at, fault))) {
        let fake = server();
        fake.server().faults.insert(at, fault);
        drop(apply(&mut fake.clone(), &dry, &mut Silent).await);
        assert_eq!(fake.server().state, before, "{fault:?} at {at}");
    }
}

#[tokio::test]
async fn the_lock_is_one() {
    let fake = server();
    let mut other = crate::Connector::connect(&mut fake.clone()).await.unwrap();
    other.lease(Duration::ZERO).await.unwrap();
    assert_eq!(up(&fake).await.unwrap_err().exit_code(), 7);
}

#[tokio::test]
async fn an_open_run_reserves_what_it_touches() {
    let fake = server();
    let through = Request { through: Some(Phase::Expand), ..request() };
    apply(&mut fake.clone(), &through, &mut Silent).await.unwrap();
    let plan = plan_of(&changes()[..1]);
    let other = Request { bytes: plan.to_bytes(), plan, ..request() };
    let stop = apply(&mut fake.clone(), &other, &mut Silent).await.unwrap_err();
    assert!(matches!(stop, Stop::Overlaps { .. }), "{stop}");
}

#[tokio::test]
async fn a_changed_journal_is_refused() {
    let fake = applied().await;
    fake.server().state.entries[2].event = Event::RolledBack {};
    assert_eq!(up(&fake).await.unwrap_err().exit_code(), 6);
}

#[tokio::test]
async fn transient_failures_end_after_the_attempts() {
    let fake = server();
    // The run's own lines are the first operations; the first step's transaction comes after them.
    let first = fake.server().ops + 8;
    fake.server().faults.extend((first..first + 60).map(|at| (at, Fault::Transient)));
    let stop = up(&fake).await.unwrap_err();
    assert!(matches!(stop, Stop::Busy { .. }), "{stop}");
    fake.server().faults.clear();
    assert!(matches!(up(&fake).await.unwrap(), Outcome::Done { here: 8, .. }));
}

/// Keeps what it hears.
#[derive(Default)]
struct Ear(Vec<String>, Vec<Progress>);

impl Report for Ear {
    fn progress(&mut self, progress: &Progress) {
        self.1.push(progress.clone());
    }

    fn crossing(&mut self, point: &str) {
        self.0.push(point.to_owned());
    }
}

#[tokio::test]
async fn points_are_the_same_each_time() {
    let mut ears = [Ear::default(), Ear::default()];
    for ear in &mut ears {
        apply(&mut server(), &request(), ear).await.unwrap();
    }
    assert!(ears[0].0.len() > 30);
    assert_eq!(ears[0].0, ears[1].0);
    assert_eq!(runs(&applied().await.server().state.entries)[0].status, RunStatus::Done);
    assert!(ears[0].1.iter().any(|p| matches!(p, Progress::BatchDone { rows: 10, total: Some(10), .. })));
}
