//! What a pull gives.

use std::collections::BTreeSet;

use mig_executor::Driver as _;
use mig_plan::{ObjectKind, Snapshot};

/// One object of each kind, and the odd corners of each.
const ALL: &str = include_str!("all.sql");

/// An object's whole content as JSON, on one line.
fn json(snapshot: &Snapshot, at: &str) -> String {
    let object = &snapshot.schema.0.objects.get(&at.parse().unwrap());
    serde_json::to_string(object).unwrap()
}

#[tokio::test]
async fn a_pull_has_one_of_each_kind() {
    let mut driver = super::session(ALL).await;
    let snapshot = driver.pull().await.unwrap();
    assert_eq!(snapshot.default_schema.as_ref().unwrap().as_str(), "public");
    let table = json(&snapshot, "table auth.accounts");
    for part in [
        r#"{"name":"id","type":"bigint","not_null":true,"value":{"identity":{"always":true,"sequence":{"start":100}}}}"#,
        r#""value":{"default":"'happy'::public.mood"}"#,
        r#""value":{"generated":{"expression":"lower(email)","stored":true}}"#,
        r#"{"option.n_distinct":"-0.5","statistics":"500","storage":"external"}"#,
        r#""score_range":{"rule":{"check":{"expression":"(score > 0)"}},"validity":"not-valid","comment":"range"}"#,
        r#"{"row_security":"forced","with.fillfactor":"70","with.toast.autovacuum_enabled":"false"}"#,
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
    let partition = json(&snapshot, "table public.log_2024");
    assert!(partition.contains(r#""partition_of":"public.log""#), "{partition}");
    let index = json(&snapshot, "index public.orders_idx");
    let lower = r#"{"what":{"expression":"lower(_mig_helper)"},"collation":"\"C\"","opclass":"text_pattern_ops"}"#;
    assert!(index.contains(lower), "{index}");
    let trigger = json(&snapshot, "trigger auth.accounts.touched");
    assert!(trigger.contains("ALTER TABLE auth.accounts DISABLE TRIGGER touched"), "{trigger}");
    let mapping = json(&snapshot, "object \"user mapping for PUBLIC server elsewhere\"");
    assert!(mapping.contains("OPTIONS (a 'b')") && !mapping.contains("hush"), "{mapping}");
    let kinds: BTreeSet<_> = snapshot.schema.0.objects.keys().map(|at| at.kind()).collect();
    let missing: Vec<_> = ObjectKind::ALL.iter().filter(|k| !kinds.contains(k)).collect();
    let elsewhere = [ObjectKind::Column, ObjectKind::Constraint, ObjectKind::Event, ObjectKind::VirtualTable];
    assert_eq!(missing, elsewhere.iter().collect::<Vec<_>>());
    assert!(!snapshot.schema.0.objects.contains_key(&"index public.zzz_mig_hidden".parse().unwrap()));
}

#[tokio::test]
async fn needs_reach_columns_and_keys() {
    let mut driver = super::session(ALL).await;
    let snapshot = driver.pull().await.unwrap();
    for (of, needs) in [
        ("column auth.accounts.feeling", "enum public.mood"),
        ("column auth.accounts.serial_no", "sequence auth.accounts_serial_no_seq"),
        ("constraint public.\"Orders\".orders_account", "constraint auth.accounts.accounts_pkey"),
        ("view public.rich", "column auth.accounts.score"),
        ("trigger auth.accounts.touched", "function public.touch()"),
        ("index auth.orders_trgm", "extension pg_trgm"),
        ("table public.log_2024", "table public.log"),
        ("table auth.accounts", "schema auth"),
    ] {
        let found = snapshot.depends.get(&of.parse().unwrap());
        assert!(found.is_some_and(|n| n.contains(&needs.parse().unwrap())), "{of}: {found:?}");
    }
}

#[tokio::test]
async fn observing_one_object_gives_what_a_pull_gives() {
    let mut driver = super::session(ALL).await;
    let schema = driver.pull().await.unwrap().schema.0;
    let objects = &schema.objects;
    for (at, object) in objects {
        let one = driver.observe(&[at.clone()].into()).await.unwrap();
        assert_eq!(one.get(at), Some(&**object), "{at}");
        assert_eq!(one.len(), 1, "{at}");
    }
    let all: BTreeSet<_> = objects.keys().cloned().collect();
    assert_eq!(driver.observe(&all).await.unwrap(), schema.clone().only(&all));
}

#[tokio::test]
async fn a_pull_twice_gives_the_same_bytes() {
    let mut driver = super::session(ALL).await;
    assert_eq!(driver.pull().await.unwrap().to_bytes(), driver.pull().await.unwrap().to_bytes());
}
