//! What a pull gives.

use std::time::Instant;

use mig_executor::Driver as _;

use super::super::connect;

#[tokio::test]
async fn probe() {
    let Ok(url) = std::env::var("PROBE") else { return };
    let mut driver = connect(&url, super::stub::dialect).await.unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        let snapshot = driver.pull().await.unwrap();
        eprintln!("{} objects, {} with needs, {:?}", snapshot.schema.0.objects.len(), snapshot.depends.len(), begun.elapsed());
        std::fs::write("/tmp/pgdrv/out.json", snapshot.to_bytes()).unwrap();
        let all = snapshot.schema.0.objects.keys().cloned().collect();
        let begun = Instant::now();
        let seen = driver.observe(&all).await.unwrap();
        eprintln!("observe all {:?} {}", begun.elapsed(), seen == snapshot.schema.0.objects);
        for (at, object) in &snapshot.schema.0.objects {
            let begun = Instant::now();
            let one = driver.observe(&[at.clone()].into()).await.unwrap();
            if one.get(at) != Some(object) {
                eprintln!("differs: {at}\n{object:?}\n{:?}", one.get(at));
            }
            let took = begun.elapsed();
            if took.as_millis() > 30 {
                eprintln!("slow {at} {took:?}");
            }
        }
    }
}
