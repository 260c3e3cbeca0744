//! A plan made by hand, to be printed by tests. Its fingerprints prove nothing.

use mig_plan::{
    Action, Address, Check, CheckSql, Column, ColumnValue, DeclaredCheck, DeclaredProbe, Fingerprint, Hazard,
    HazardCode, Kind, Limits, Name, Need, PLAN_FORMAT, Phase, Plan, Probe, Qualified, Statement, Step, StepId, Target,
    Undo, class_of,
    kind::{AddColumn, DropColumn},
    plan::summarize,
    step::{Batch, Batches, Transaction},
    verify::{Expect, When},
};

const LIMITS: Limits = Limits { lock_ms: 2000, statement_ms: 0, attempts: 10 };

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn users() -> Qualified {
    Qualified { schema: Some(name("public")), name: name("users") }
}

fn column(text: &str) -> Column {
    Column {
        name: name(text),
        data_type: "text".to_owned(),
        not_null: false,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: std::collections::BTreeMap::new(),
    }
}

fn transaction(sql: &str) -> Action {
    let sql = vec![Statement::new(sql)];
    Action::Transaction(Transaction {
        prepare: vec![],
        lock: vec![],
        sql,
        none: vec![],
        rejects: None,
        restore: vec![],
        limits: LIMITS,
    })
}

fn step(change: Kind, phase: Phase, why: &str, action: Action, hazards: Vec<Hazard>) -> Step {
    let undo_sql = format!("-- takes {} back\nSELECT 1", change.slug());
    Step {
        id: mig_plan::plan::step_id(&change),
        kind: change.slug().to_owned(),
        phase,
        class: class_of(&hazards),
        why: why.to_owned(),
        needs: vec![Need { step: StepId("x".to_owned()), because: "order".to_owned() }],
        lock: "ACCESS EXCLUSIVE on public.users for a moment: reads and writes wait".to_owned(),
        atomic: None,
        group: None,
        action,
        probe: Probe::Shape {},
        before: Fingerprint::of_bytes(b"before"),
        after: Fingerprint::of_bytes(b"after"),
        undo: Undo { says: format!("takes {} back", change.address()), change: None, action: transaction(&undo_sql) },
        hazards,
        tried: false,
        gc: vec![],
        change,
    }
}

/// Three steps, one of each class, and a check.
pub(super) fn plan() -> Plan {
    let (full, old) = (column("full_name"), column("na|me`"));
    let at = Address::column(&users(), &full.name);
    let old_at = Address::column(&users(), &old.name);
    let batch = |bound: &str, sql: &str| Batch { bound: Statement::new(bound), sql: vec![Statement::new(sql)] };
    let batches = Action::Batches(Batches {
        key: vec!["id".to_owned()],
        rows: 5000,
        min_rows: 100,
        max_rows: 50_000,
        target_ms: 500,
        prepare: vec![],
        first: batch("SELECT id ...", "UPDATE public.users\nSET full_name = name\nWHERE id <= $1"),
        next: batch("SELECT id ...", "UPDATE public.users\nSET full_name = name\nWHERE id > $1 AND id <= $2"),
        end: None,
        leaves_late: false,
        before: vec![],
        rejects: None,
        sample: None,
        limits: LIMITS,
    });
    let mut fill = step(
        AddColumn { table: users(), column: full.clone() }.into(),
        Phase::Backfill,
        "fills full_name of the rows that are there from their name, so that it can be required later without a long lock",
        batches,
        vec![Hazard::new(HazardCode::RewritesRows, &at, "every row is updated once: expect write load and bloat")],
    );
    fill.id = StepId("public.users.full_name/backfill-7c1e".to_owned());
    let steps = vec![
        step(
            AddColumn { table: users(), column: full }.into(),
            Phase::Expand,
            "the specs declare column full_name",
            transaction("ALTER TABLE public.users ADD COLUMN full_name text"),
            vec![],
        ),
        fill,
        step(
            DropColumn { table: users(), column: old }.into(),
            Phase::Contract,
            "the specs no longer declare it",
            transaction("ALTER TABLE public.users\n  DROP COLUMN \"na|me`\""),
            vec![Hazard::new(HazardCode::DropColumn, &old_at, "clients that still name the column fail <at once>")],
        ),
    ];
    Plan {
        format: PLAN_FORMAT.to_owned(),
        compiler: "mig 0.1.0".to_owned(),
        target: Target { name: Some("production".to_owned()), engine: "anydb".to_owned(), version: "17".to_owned() },
        base: Fingerprint::of_bytes(b"base"),
        goal: Fingerprint::of_bytes(b"goal"),
        specs: Fingerprint::of_bytes(b"specs"),
        summary: summarize(&steps),
        checks: vec![Check {
            step: steps[1].id.clone(),
            at,
            says: "every row has a name".to_owned(),
            help: vec!["give those rows a name".to_owned()],
            count: CheckSql::new("SELECT count(*) FROM public.users WHERE name IS NULL"),
            sample: None,
            stops: true,
            at_most: 0,
            first: false,
        }],
        declared: vec![DeclaredCheck {
            name: "as many users as before".to_owned(),
            when: When::Both,
            sql: Statement::new("select count(*) from users"),
            expect: Expect::Unchanged {},
        }],
        datasets: vec![],
        backups: vec![],
        probes: vec![DeclaredProbe {
            name: "a user without a name".to_owned(),
            given: vec![],
            sql: vec![Statement::new("insert into users (id) values (1)")],
            expect_error: Some("not-null".to_owned()),
        }],
        steps,
        footprint: vec![],
    }
}

/// Many steps over so many tables: each table's steps follow one another, and every seventh drops a column.
pub(super) fn large(steps: usize, tables: usize) -> Plan {
    let mut plan = plan();
    let mut last: Vec<Option<StepId>> = vec![None; tables];
    let mut all = Vec::new();
    for i in 0..steps {
        let table = Qualified { schema: Some(name("public")), name: name(&format!("table_{}", i % tables)) };
        let column = column(&format!("column_with_a_long_name_{i}"));
        let at = Address::column(&table, &column.name);
        let sql = format!("ALTER TABLE {table} ADD COLUMN {} text", column.name);
        let (change, phase, hazards): (Kind, _, _) = if i % 7 == 6 {
            let says = "clients that still name the column get errors; its values are kept until `mig gc`";
            let hazard = Hazard::new(HazardCode::DropColumn, &at, says);
            (DropColumn { table, column }.into(), Phase::Contract, vec![hazard])
        } else {
            (AddColumn { table, column }.into(), Phase::Expand, vec![])
        };
        let mut step = step(change, phase, "the specs say so", transaction(&sql), hazards);
        let because = || "a table's changes follow one another".to_owned();
        step.needs = last[i % tables].iter().map(|id| Need { step: id.clone(), because: because() }).collect();
        last[i % tables] = Some(step.id.clone());
        all.push(step);
    }
    all.sort_by_key(|step| step.phase);
    plan.summary = summarize(&all);
    plan.checks.clear();
    plan.steps = all;
    plan
}

/// A page for every code.
pub(super) fn pages(_: HazardCode) -> Option<&'static str> {
    Some(
        "# MIG-H: x\n\n## What happens, and to whom\nClients fail.\n\n## What mig does about it\nIt keeps a copy.\n\n\
         ## How it is undone\nFrom the copy.\n\n## What to check\nThat nobody needs it.\n",
    )
}
