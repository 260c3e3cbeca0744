//! What mig doctor asks of a PostgreSQL server. Each query gives a sentence for each thing found.

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
        query: "select format('PostgreSQL %s, database %I as role %I, straight or through a proxy that pools sessions', \
            current_setting('server_version'), current_database(), current_user)",
        next: None,
    },
    Look {
        topic: "rights",
        weight: Weight::Advice,
        query: "select format('%s tables belong to roles that %I is not a member of: it cannot change them, such as %s', count(*), \
            current_user, min(c.oid::regclass::text)) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
            where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'mig', 'mig_trash') \
            and not pg_has_role(c.relowner, 'usage') having count(*) > 0",
        next: Some("let mig connect as their owner, or make its role a member of the owner's"),
    },
    Look {
        topic: "rights",
        weight: Weight::Advice,
        query: "select format('role %I does not see what other roles'' sessions do: the monitor and the proof that an earlier session \
            is gone see less', current_user) where not pg_has_role(current_user, 'pg_read_all_stats', 'usage')",
        next: Some("grant pg_monitor to the role"),
    },
    Look {
        topic: "settings",
        weight: Weight::Wrong,
        query: "select 'track_activities is off: nobody can tell whether a lost session is still at work' \
            where current_setting('track_activities') = 'off'",
        next: Some("set track_activities = on"),
    },
    Look {
        topic: "settings",
        weight: Weight::Advice,
        query: "select 'the server does not notice that a client is gone while it works for it: after a crash mig waits for the statement' \
            where not exists (select from pg_settings where name = 'client_connection_check_interval')",
        next: Some("PostgreSQL 14 and newer do"),
    },
    Look {
        topic: "monitor",
        weight: Weight::Advice,
        query: "select 'pg_stat_statements is not here: latency is watched only by a probe of your own' \
            where not exists (select from pg_extension where extname = 'pg_stat_statements')",
        next: Some("declare probe under [monitor] in mig.toml, or load and create the extension"),
    },
    Look {
        topic: "indexes",
        weight: Weight::Wrong,
        query: "select format('index %s of %s is not valid: it costs writes and serves nobody', i.indexrelid::regclass, i.indrelid::regclass) \
            from pg_index i where not i.indisvalid and not exists (select from pg_locks l where l.relation = i.indexrelid \
            and l.mode = 'RowExclusiveLock' and l.granted)",
        next: Some(
            "an open run clears away its own; any other: reindex index concurrently, or drop index concurrently",
        ),
    },
    Look {
        topic: "constraints",
        weight: Weight::Advice,
        query: "select format('constraint %I of %s was never validated: old rows may break it', conname, conrelid::regclass) \
            from pg_constraint where not convalidated and conrelid <> 0",
        next: Some("an open run validates its own; any other: alter table ... validate constraint"),
    },
    Look {
        topic: "sync triggers",
        weight: Weight::Advice,
        query: "select format('trigger %I of %s is mig''s own', tgname, tgrelid::regclass) from pg_trigger \
            where tgname like 'zzz\\_mig%' and not tgisinternal",
        next: Some("it belongs to an open run, which drops it at its end"),
    },
    Look {
        topic: "transactions",
        weight: Weight::Wrong,
        query: "select format('prepared transaction %s of %I holds its locks since %s', gid, owner, prepared::timestamp(0)) \
            from pg_prepared_xacts where database = current_database()",
        next: Some("commit prepared or rollback prepared, as its coordinator says"),
    },
    Look {
        topic: "transactions",
        weight: Weight::Advice,
        query: "select format('process %s (%s) has a transaction open since %s: index builds wait for it, dead rows stay', pid, \
            coalesce(nullif(application_name, ''), 'unnamed'), xact_start::timestamp(0)) from pg_stat_activity \
            where xact_start < now() - interval '10 minutes' and backend_type = 'client backend' and datname = current_database()",
        next: Some("let it end before a large run"),
    },
    Look {
        topic: "connections",
        weight: Weight::Advice,
        query: "select format('%s of %s connections are in use; a run needs two', count(*), current_setting('max_connections')) \
            from pg_stat_activity where backend_type = 'client backend' \
            having count(*) + 5 > current_setting('max_connections')::int",
        next: Some("pool the clients' sessions, or raise max_connections"),
    },
    Look {
        topic: "replication",
        weight: Weight::Advice,
        query: "select format('replication slot %I is not in use and keeps %s of write-ahead log', slot_name, \
            pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))) from pg_replication_slots \
            where not active and restart_lsn is not null and not pg_is_in_recovery()",
        next: Some("a backfill adds as much again: drop the slot, or start its replica"),
    },
    Look {
        topic: "event triggers",
        weight: Weight::Advice,
        query: "select format('event trigger %I runs on %s: it sees, and may refuse, what mig does', evtname, evtevent) \
            from pg_event_trigger where evtenabled <> 'D'",
        next: Some("know what it does before a run"),
    },
    Look {
        topic: "transaction ids",
        weight: Weight::Wrong,
        query: "select format('the oldest transaction id of this database is %s transactions old', age(datfrozenxid)) \
            from pg_database where datname = current_database() and age(datfrozenxid) > 1500000000",
        next: Some("vacuum first: a backfill uses up more of them"),
    },
    Look {
        topic: "kept data",
        weight: Weight::Fine,
        query: "select format('mig_trash keeps %s tables, %s, for rollbacks', count(*), pg_size_pretty(sum(pg_total_relation_size(c.oid)))) \
            from pg_class c where c.relkind = 'r' and c.relnamespace = to_regnamespace('mig_trash') having count(*) > 0",
        next: Some("mig gc drops it for good when it is old enough"),
    },
];

/// Asks everything. What a role may not ask is itself worth a word.
pub(super) async fn examine(link: &mut Link) -> Result<Vec<Symptom>, Failure> {
    let mut found = Vec::new();
    for look in LOOKS {
        match link.values(look.query, "looking the database over").await {
            Ok(rows) => {
                found.extend(rows.into_iter().map(|says| Symptom::new(look.topic, look.weight, says, look.next)))
            }
            Err(Failure::Refused { says, .. }) => {
                let says = format!("cannot be asked: {says}");
                found.push(Symptom::new(look.topic, Weight::Advice, says, Some("grant pg_monitor to the role")));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}
