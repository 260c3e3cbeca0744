//! What mig doctor asks of a MySQL or MariaDB server. Each query gives a sentence for each thing found.

use mig_executor::{
    Failure,
    doctor::{Symptom, Weight},
};

use super::link::Link;

struct Look {
    topic: &'static str,
    weight: Weight,
    query: &'static str,
    next: Option<&'static str>,
}

const LOOKS: &[Look] = &[
    Look {
        topic: "server",
        weight: Weight::Fine,
        query: "SELECT CONCAT(VERSION(), ', database ', DATABASE(), ' as ', CURRENT_USER())",
        next: None,
    },
    Look {
        topic: "tables",
        weight: Weight::Advice,
        query: "SELECT CONCAT('table ', table_name, ' is of engine ', engine, ', which has no transactions: an interrupted batch of it cannot \
            be told from a whole one') FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' \
            AND engine <> 'InnoDB'",
        next: Some("ALTER TABLE ... ENGINE=InnoDB"),
    },
    Look {
        topic: "transactions",
        weight: Weight::Advice,
        query: "SELECT CONCAT('connection ', trx_mysql_thread_id, ' has a transaction open since ', trx_started, ': DDL waits for it') \
            FROM information_schema.innodb_trx WHERE trx_started < NOW() - INTERVAL 10 MINUTE",
        next: Some("let it end before a large run"),
    },
    Look {
        topic: "settings",
        weight: Weight::Advice,
        query: "SELECT 'binlog_format is STATEMENT: batches may come out otherwise on replicas' FROM dual \
            WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.binlog_format = 'STATEMENT'",
        next: Some("set binlog_format = ROW"),
    },
    Look {
        topic: "monitor",
        weight: Weight::Advice,
        query: "SELECT 'the server does not tell how far its replicas are behind, nor how long statements take'",
        next: Some("declare probe and lag under [monitor] in mig.toml"),
    },
    Look {
        topic: "kept data",
        weight: Weight::Fine,
        query: "SELECT CONCAT(COUNT(*), ' tables keep what rollbacks need') FROM information_schema.tables \
            WHERE table_schema = DATABASE() AND table_name LIKE '\\_mig\\_kept%' HAVING COUNT(*) > 0",
        next: Some("mig gc drops it for good when it is old enough"),
    },
];

/// Asks everything. What a role may not ask is itself worth a word.
pub(super) async fn examine(link: &mut Link) -> Result<Vec<Symptom>, Failure> {
    let mut found = Vec::new();
    for look in LOOKS {
        match link.texts(look.query, 1_000, "looking the database over").await {
            Ok(rows) => {
                let says = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
                found.extend(says.map(|says| Symptom::new(look.topic, look.weight, says, look.next)));
            }
            Err(Failure::Refused { says, .. }) => {
                let says = format!("cannot be asked: {says}");
                found.push(Symptom::new(look.topic, Weight::Advice, says, Some("grant PROCESS to the user")));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}
