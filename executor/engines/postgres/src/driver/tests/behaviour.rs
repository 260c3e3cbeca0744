//! Sessions, transactions, the lease, the journal.

use std::time::Duration;

use mig_executor::{Cursor, Driver as _, Entry, Event, Failure, Lease};
use mig_plan::{
    Fingerprint, Limits, Remembered, Statement,
    step::{Batch, Batches},
};

use super::{
    super::{PostgresDriver, connect},
    server, stub,
};

const LIMITS: Limits = Limits { lock_ms: 200, statement_ms: 2000, attempts: 1 };

async fn run(driver: &mut PostgresDriver, sql: &str) -> Result<u64, Failure> {
    driver.execute(&Statement::new(sql)).await
}

async fn two(sql: &str) -> (PostgresDriver, PostgresDriver) {
    let url = server::database(sql).url();
    (connect(&url, stub::dialect).await.unwrap(), connect(&url, stub::dialect).await.unwrap())
}

fn entry(seq: u64, run: &str, event: Event) -> Entry {
    let none = Fingerprint::of_bytes(b"");
    Entry {
        seq,
        at: "2024-01-01T00:00:00.000Z".to_owned(),
        run: run.to_owned(),
        event,
        previous: none.clone(),
        hash: none,
    }
}

#[tokio::test]
async fn only_one_holds_the_lease() {
    let (mut a, mut b) = two("").await;
    assert_eq!(a.lease(Duration::ZERO).await.unwrap(), Lease::Taken);
    let Lease::Held { by } = b.lease(Duration::from_millis(300)).await.unwrap() else { panic!("two hold it") };
    assert!(by.contains("(mig) since 20"), "{by}");
    let session = a.session().await.unwrap();
    assert!(!b.settled(&session, Duration::ZERO).await.unwrap());
    assert!(b.settled(&session, Duration::from_secs(4)).await.unwrap(), "it ends what does not end");
    assert_eq!(b.lease(Duration::from_secs(1)).await.unwrap(), Lease::Taken);
    assert!(matches!(a.session().await, Err(Failure::Lost { .. })));
}

#[tokio::test]
async fn failures_tell_what_may_be_done_next() {
    let (mut a, mut b) = two("create table t (a int primary key); insert into t values (1)").await;
    a.begin(&LIMITS).await.unwrap();
    run(&mut a, "lock table t").await.unwrap();
    b.begin(&LIMITS).await.unwrap();
    let waited = run(&mut b, "alter table public.t add b int").await.unwrap_err();
    assert!(matches!(waited, Failure::Transient { .. }), "{waited:?}");
    assert!(b.commit().await.is_err(), "a failed transaction does not commit");
    b.rollback().await.unwrap();
    a.commit().await.unwrap();
    let refused = run(&mut b, "insert into public.t values (1)").await.unwrap_err();
    assert!(matches!(&refused, Failure::Refused { code: Some(c), .. } if c == "23505"), "{refused:?}");
    let slow = b.execute_alone(&Statement::new("select pg_sleep(5)"), &LIMITS).await.unwrap_err();
    assert!(matches!(&slow, Failure::Refused { code: Some(c), .. } if c == "57014"), "{slow:?}");
    b.execute_alone(&Statement::new("create index concurrently i on public.t (a)"), &LIMITS).await.unwrap();
}

#[tokio::test]
async fn an_unreachable_database_is_named_without_its_password() {
    let there = server::database("");
    let url = there.url_as("postgres:geheim").replace(there.name(), "missing");
    let Err(Failure::Unreachable { says }) = connect(&url, stub::dialect).await else { panic!("it connects") };
    assert!(says.contains("missing") && !says.contains("geheim"), "{says}");
}

#[tokio::test]
async fn the_journal_keeps_what_it_is_given() {
    let (mut a, mut b) = two("").await;
    assert!(a.entries().await.unwrap().is_empty() && a.remembered().await.unwrap().is_empty());
    assert_eq!(a.kept("d", "plan").await.unwrap(), None);
    assert_eq!(a.writable().await.unwrap(), Ok(()));
    a.install().await.unwrap();
    a.install().await.unwrap();
    let begun = |plan: &[u8]| Event::RunBegun {
        plan: Fingerprint::of_bytes(plan),
        title: "it's a plan".to_owned(),
        approved_by: vec![],
        reserved: vec!["table public.t".parse().unwrap()],
        executor: "mig".to_owned(),
    };
    let lines = [entry(1, "a", begun(b"1")), entry(2, "a", Event::RunDone {}), entry(3, "b", begun(b"2"))];
    for line in &lines {
        a.append(line).await.unwrap();
    }
    assert_eq!(b.entries().await.unwrap(), lines);
    a.begin(&LIMITS).await.unwrap();
    a.append(&entry(4, "b", Event::RunDone {})).await.unwrap();
    a.rollback().await.unwrap();
    let record = |catalog: &[u8]| Remembered {
        at: "view public.v".parse().unwrap(),
        said: Fingerprint::of_bytes(b"said"),
        catalog: Fingerprint::of_bytes(catalog),
        keys: None,
    };
    a.remember(&[record(b"1")]).await.unwrap();
    a.remember(&[record(b"2")]).await.unwrap();
    a.keep("d", "plan", b"\0bytes").await.unwrap();
    assert_eq!(b.kept("d", "plan").await.unwrap().unwrap(), b"\0bytes");
    let pulled = b.pull().await.unwrap();
    assert_eq!(pulled.remembered, [record(b"2")]);
    assert_eq!(pulled.open_runs.iter().map(|r| r.run.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(pulled.schema.0.objects.is_empty());
}

#[tokio::test]
async fn batches_go_on_from_their_cursor() {
    let sql =
        "create table t (a bigint primary key, b bigint); insert into t select n, null from generate_series(1, 5) n";
    let mut driver = super::session(sql).await;
    let batch = |from: &str, after: usize| Batch {
        bound: Statement::new(format!(
            "select max(a)::text from (select a from public.t where {from} and a <= ${}::text::bigint order by a limit ${}) q \
             having max(a) is not null",
            after + 2,
            after + 1
        )),
        sql: vec![Statement::new(format!(
            "update public.t set b = a where {from} and a <= ${}::text::bigint",
            after + 1
        ))],
    };
    let batches = Batches {
        key: vec!["a".to_owned()],
        rows: 2,
        min_rows: 1,
        max_rows: 10,
        target_ms: 100,
        prepare: vec![],
        first: batch("true", 0),
        next: batch("a > $1::text::bigint", 1),
        end: Some(Statement::new("select max(a)::text from public.t")),
        leaves_late: false,
        before: vec![],
        rejects: None,
        sample: None,
        limits: LIMITS,
    };
    let (mut cursor, mut rows) = (None::<Cursor>, Vec::new());
    let end = driver.ask(batches.end.as_ref().unwrap(), 1).await.unwrap().remove(0);
    // What comes later is not for this pass.
    run(&mut driver, "insert into public.t values (6)").await.unwrap();
    loop {
        driver.begin(&LIMITS).await.unwrap();
        let done = driver.batch(&batches, cursor.as_ref(), Some(&end), 2).await.unwrap();
        driver.commit().await.unwrap();
        let Some(done) = done else { break };
        rows.push(done.rows);
        cursor = Some(done.cursor);
    }
    assert_eq!((rows, cursor.unwrap().0.to_string()), (vec![2, 2, 1], r#"["5"]"#.to_owned()));
    let query = Statement::new("select a, b, null, 1.50 from public.t order by a -- all");
    let found = driver.ask(&query, 1).await.unwrap();
    assert_eq!(found, [[Some("1".to_owned()), Some("1".to_owned()), None, Some("1.50".to_owned())]]);
    assert!(driver.ask(&Statement::new("delete from public.t returning a"), 1).await.is_err(), "it only reads");
}

#[tokio::test]
async fn triggers_find_what_they_name_by_the_configured_path() {
    let sql = "create table t (a int); create table seen (a int); create function note() returns trigger language plpgsql \
        as $$ begin insert into seen values (new.a); return new; end $$; \
        create trigger note after insert on t for each row execute function note()";
    let mut driver = super::session(sql).await;
    driver.begin(&LIMITS).await.unwrap();
    run(&mut driver, "insert into public.t values (7)").await.unwrap();
    run(&mut driver, "create table public.made (a mood)").await.unwrap_err();
    driver.rollback().await.unwrap();
    driver.begin(&LIMITS).await.unwrap();
    run(&mut driver, "create type public.mood as enum ('a'); create table public.made (a mood)").await.unwrap();
    let at = "table public.made".parse().unwrap();
    let seen = driver.observe(&[at].into()).await.unwrap();
    assert!(serde_json::to_string(&seen).unwrap().contains("public.mood"), "{seen:?}");
    driver.commit().await.unwrap();
}

#[tokio::test]
async fn a_deadlock_costs_no_client_its_transaction() {
    let tables = "create role plain login; create table t (); create table u (); alter table t owner to plain; alter table u owner to plain";
    let database = server::database(tables);
    let mut a = connect(&database.url_as("plain"), stub::dialect).await.unwrap();
    let patient = Limits { lock_ms: 10_000, statement_ms: 0, attempts: 1 };
    a.begin(&patient).await.unwrap();
    run(&mut a, "lock table public.t").await.unwrap();
    let client = std::thread::spawn(|| {
        database.psql("begin; lock u in row share mode; lock t in row share mode; commit");
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let left = run(&mut a, "lock table public.u").await.unwrap_err();
    assert!(matches!(left, Failure::Transient { .. }), "{left:?}");
    a.rollback().await.unwrap();
    client.join().unwrap();
}
