//! What a pull gives.

use std::collections::BTreeSet;

use mig_executor::Driver as _;
use mig_plan::{Body, Snapshot, Sql};

/// One object of each kind, and the odd corners of each.
const ALL: &str = include_str!("all.sql");

/// An object's whole content as JSON, on one line.
fn json(snapshot: &Snapshot, at: &str) -> String {
    let object = &snapshot.schema.0.objects.get(&at.parse().unwrap());
    serde_json::to_string(object).unwrap()
}

#[tokio::test]
async fn a_pull_has_one_of_each_kind() {
    let mut driver = super::session("kinds", ALL).await;
    let snapshot = driver.pull().await.unwrap();
    let text = String::from_utf8(snapshot.to_bytes()).unwrap();
    std::fs::write("/tmp/pgdrv/all.json", text).unwrap();
}

#[tokio::test]
async fn observing_one_object_gives_what_a_pull_gives() {
    let mut driver = super::session("observed", ALL).await;
    let objects = driver.pull().await.unwrap().schema.0.objects;
    for (at, object) in &objects {
        let one = driver.observe(&[at.clone()].into()).await.unwrap();
        assert_eq!(one.get(at), Some(object), "{at}");
        assert_eq!(one.len(), 1, "{at}");
    }
    let all: BTreeSet<_> = objects.keys().cloned().collect();
    assert_eq!(driver.observe(&all).await.unwrap(), objects);
}

#[tokio::test]
async fn a_pull_twice_gives_the_same_bytes() {
    let mut driver = super::session("twice", ALL).await;
    assert_eq!(driver.pull().await.unwrap().to_bytes(), driver.pull().await.unwrap().to_bytes());
}
