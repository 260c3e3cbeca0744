//! The catalog queries. What a version of the server has, and since when, is in [`versions`](crate::dialect::versions).
//!
//! Each query gives one row with one text: a JSON list of rows, or lines of numbers. All of them together are one message to the server.

mod grants;
mod numbers;
mod other;
mod verbatim;

pub(super) use self::grants::{default_privileges, grants};
pub(super) use self::numbers::{depends, links, resolve, stamp};
pub(super) use self::other::{
    aggregates, collations, event_triggers, extensions, namespaces, opaque, policies, routines, rules, statistics,
    triggers, types,
};
pub(super) use self::verbatim::others;

use crate::dialect::versions::{
    COMPRESSION, NO_TARGET_IS_NULL, NOT_ENFORCED, NOT_NULL_HAS_A_NAME, NULLS_NOT_DISTINCT, SET_COLUMNS, TEMPORAL,
};

/// The first object id that is not the server's own.
const FIRST_OWN: u32 = 16_384;

/// Which objects a query shall give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Only {
    /// All that belong into a pulled schema.
    Pulled,
    /// Those with these object ids, in whatever catalog.
    These(Vec<u32>),
}

/// A server's version and the objects asked for: what every query is made from.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The major version.
    pub(super) version: u32,
    /// Which objects.
    pub(super) only: Only,
}

impl Ask {
    /// A condition for objects that live by themselves in a schema `n`. `class` is their catalog.
    fn own(&self, oid: &str, name: &str, class: &str) -> String {
        match &self.only {
            Only::Pulled => format!(
                "{oid} >= {FIRST_OWN} and n.nspname not like 'pg\\_%' \
                 and n.nspname not in ('information_schema', 'mig', 'mig_trash') and {} and {}",
                not_ours(name),
                not_extension(oid, class)
            ),
            Only::These(_) => self.part(oid),
        }
    }

    /// A condition for objects without a schema.
    fn global(&self, oid: &str, name: &str, class: &str) -> String {
        match &self.only {
            Only::Pulled => {
                format!("{oid} >= {FIRST_OWN} and {} and {}", not_ours(name), not_extension(oid, class))
            }
            Only::These(_) => self.part(oid),
        }
    }

    /// A condition for parts of objects, by the object's id; parts of what is not pulled are dropped later.
    fn part(&self, oid: &str) -> String {
        match &self.only {
            Only::Pulled => format!("{oid} >= {FIRST_OWN}"),
            Only::These(oids) => format!("{oid} = any('{}'::oid[])", list(oids)),
        }
    }

    /// `since` where the server knows it, else `before`.
    fn pick<'a>(&self, version: u32, since: &'a str, before: &'a str) -> &'a str {
        if self.version >= version { since } else { before }
    }
}

/// Ids as an array literal without its quotes.
fn list(oids: &[u32]) -> String {
    format!("{{{}}}", oids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn not_ours(name: &str) -> String {
    format!("{name} not like '\\_mig\\_%' and {name} not like 'zzz\\_mig\\_%'")
}

fn not_extension(oid: &str, class: &str) -> String {
    format!(
        "not exists (select from pg_depend e where e.classid = '{class}'::regclass and e.objid = {oid} and e.deptype = 'e')"
    )
}

/// A query as one JSON text.
fn json(query: &str) -> String {
    format!("select coalesce(json_agg(row_to_json(r)), '[]')::text from ({query}) r")
}

/// Tables, partitioned tables and partitions.
pub(super) fn tables(ask: &Ask) -> String {
    json(&format!(
        "select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relpersistence = 'u' as unlogged,
           ts.spcname as tablespace, nullif(am.amname, 'heap') as access_method, c.reloptions as settings,
           case when c.reltoastrelid <> 0 then (select t.reloptions from pg_class t where t.oid = c.reltoastrelid) end as toast_settings,
           case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then
             (select k.conname::text from pg_index i join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = c.oid
               where i.indrelid = c.oid and i.indisreplident and k.contype in ('p', 'u', 'x')) end as replica_identity,
           (select k.conname::text from pg_index i join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = c.oid
             where i.indrelid = c.oid and i.indisclustered and k.contype in ('p', 'u', 'x')) as clustered_on,
           case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_by,
           pg_get_expr(c.relpartbound, c.oid) as bound, h.parents,
           case when c.relispartition then (
             select json_agg(json_build_array(coalesce(rk.conname, rc.relname), coalesce(k.conname, ic.relname), k.contype,
                 (select string_agg(ia.attname, '_' order by ia.attnum) from pg_attribute ia where ia.attrelid = ic.oid)))
               from pg_index ix join pg_class ic on ic.oid = ix.indexrelid
                 join pg_class rc on rc.oid = pg_partition_root(ix.indexrelid)
                 join pg_index rx on rx.indexrelid = rc.oid and rx.indisvalid
                 left join pg_constraint k on k.conindid = ic.oid and k.conrelid = c.oid and k.contype in ('p', 'u', 'x')
                 left join pg_constraint rk on rk.conindid = rc.oid and rk.contype in ('p', 'u', 'x')
              where ix.indrelid = c.oid and ic.relispartition and (k.oid is null or rk.oid is not null)) end as shares,
           c.relrowsecurity as row_security, c.relforcerowsecurity as forced,
           case when c.reloftype <> 0 then format_type(c.reloftype, null) end as of_type, d.description as comment
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
           left join pg_tablespace ts on ts.oid = c.reltablespace
           left join pg_am am on am.oid = c.relam
           left join (select i.inhrelid, json_agg(json_build_array(pn.nspname, p.relname) order by i.inhseqno) as parents
               from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
              where {} group by 1) h on h.inhrelid = c.oid
           left join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
         where c.relkind in ('r', 'p') and {}",
        ask.part("i.inhrelid"),
        ask.own("c.oid", "c.relname", "pg_class")
    ))
}

/// Columns of tables and materialized views.
pub(super) fn columns(ask: &Ask) -> String {
    let compression = ask.pick(COMPRESSION, "nullif(a.attcompression, '')", "null");
    let above = ask.pick(COMPRESSION, "nullif(p.attcompression, '')", "null");
    let target = ask.pick(NO_TARGET_IS_NULL, "a.attstattarget", "nullif(a.attstattarget, -1)");
    // What is not proved for the rows that are there makes no column required.
    let required = ask.pick(NOT_NULL_HAS_A_NAME, "a.attnotnull and unproved.conrelid is null", "a.attnotnull");
    let unproved = ask.pick(
        NOT_NULL_HAS_A_NAME,
        "left join (select conrelid, conkey[1] as column from pg_constraint where contype = 'n' and not convalidated) unproved
             on unproved.conrelid = a.attrelid and unproved.column = a.attnum",
        "",
    );
    // A list for each row, in the order of the fields of `ColumnRow`: there are many, and names in each take time.
    format!(
        "select coalesce(json_agg(json_build_array(a.attrelid::int8, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
           {required}, a.attidentity, a.attgenerated, pg_get_expr(f.adbin, f.adrelid), a.attcollation::int8,
           case when a.attcollation not in (0, t.typcollation) then a.attcollation::regcollation::text end,
           case when a.attstorage <> t.typstorage then a.attstorage end, a.attstorage, {compression}, {target}, a.attoptions, up.said,
           d.description) order by a.attrelid, a.attnum), '[]')::text
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
           left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
           {unproved}
           left join lateral (
             select json_build_array(p.attnotnull, pg_get_expr(pf.adbin, pf.adrelid), p.attstorage, {above}) as said
               from pg_inherits h join pg_attribute p on p.attrelid = h.inhparent and p.attname = a.attname and not p.attisdropped
                 left join pg_attrdef pf on pf.adrelid = p.attrelid and pf.adnum = p.attnum
              where a.attinhcount > 0 and h.inhrelid = a.attrelid order by h.inhseqno limit 1) up on true
           left join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = a.attrelid and d.objsubid = a.attnum
         where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'm') and {}",
        ask.part("a.attrelid")
    )
}

/// Sequences, those behind identity columns among them.
pub(super) fn sequences(ask: &Ask) -> String {
    let only = match &ask.only {
        Only::Pulled => format!("({})", ask.own("c.oid", "c.relname", "pg_class")),
        // An observed table needs the sequences behind its identity columns.
        Only::These(_) => format!(
            "({} or exists (select from pg_depend o where o.classid = 'pg_class'::regclass and o.objid = c.oid \
             and o.deptype = 'i' and {}))",
            ask.part("c.oid"),
            ask.part("o.refobjid")
        ),
    };
    json(&format!(
        "select c.oid::int8 as oid, n.nspname as schema, c.relname as name, format_type(s.seqtypid, null) as data_type,
           s.seqstart as start, s.seqincrement as increment, s.seqmin as min, s.seqmax as max, s.seqcache as cache,
           s.seqcycle as cycle, o.deptype = 'i' as identity, o.refobjid::int8 as owner, o.refobjsubid as owner_column,
           tn.nspname as owner_schema, t.relname as owner_name, a.attname as owner_column_name, d.description as comment
         from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
           left join pg_depend o on o.classid = 'pg_class'::regclass and o.objid = c.oid and o.objsubid = 0
             and o.refclassid = 'pg_class'::regclass and o.refobjsubid > 0 and o.deptype in ('a', 'i')
           left join pg_class t on t.oid = o.refobjid left join pg_namespace tn on tn.oid = t.relnamespace
           left join pg_attribute a on a.attrelid = o.refobjid and a.attnum = o.refobjsubid
           left join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
         where {only}"
    ))
}

/// Constraints of tables, without what the server makes by itself for partitions referred to.
pub(super) fn constraints(ask: &Ask) -> String {
    let set_columns = ask.pick(SET_COLUMNS, "con.confdelsetcols", "null");
    let nulls = ask.pick(NULLS_NOT_DISTINCT, "i.indnullsnotdistinct", "false");
    let enforced = ask.pick(NOT_ENFORCED, "con.conenforced", "true");
    let period = ask.pick(TEMPORAL, "con.conperiod", "false");
    json(&format!(
        "select con.oid::int8 as oid, con.conrelid::int8 as relation, con.conname as name, con.contype as kind,
           con.condeferrable as deferrable, con.condeferred as deferred, con.convalidated as validated,
           {enforced} as enforced, {period} as period, con.connoinherit and con.contype = 'c' as no_inherit,
           con.coninhcount > 0 or con.conparentid <> 0 as inherited, con.conparentid::int8 as parent,
           con.conkey as key, rn.nspname as ref_schema, rc.relname as ref_name, con.confrelid::int8 as ref_relation,
           con.confkey as ref_key, con.confupdtype as on_update, con.confdeltype as on_delete,
           con.confmatchtype as matching, {set_columns} as set_columns,
           case when con.contype = 'c' then pg_get_expr(con.conbin, con.conrelid)
                when con.contype = 'x' then pg_get_constraintdef(con.oid) end as expression,
           case when con.contype in ('p', 'u', 'x') then con.conindid::int8 end as index,
           i.indkey::int2[] as index_key, i.indnkeyatts as key_columns, coalesce({nulls}, false) as nulls_not_distinct,
           ic.reloptions as settings, ts.spcname as tablespace, d.description as comment
         from pg_constraint con
           left join pg_constraint up on up.oid = con.conparentid and con.conparentid <> 0
           left join pg_class rc on rc.oid = con.confrelid left join pg_namespace rn on rn.oid = rc.relnamespace
           left join pg_index i on i.indexrelid = con.conindid and con.contype in ('p', 'u', 'x')
           left join pg_class ic on ic.oid = i.indexrelid left join pg_tablespace ts on ts.oid = ic.reltablespace
           left join pg_description d on d.classoid = 'pg_constraint'::regclass and d.objoid = con.oid and d.objsubid = 0
         where con.contype in ('p', 'u', 'f', 'c', 'x') and con.conrelid <> 0
           and (up.oid is null or up.conrelid <> con.conrelid) and {}",
        ask.part("con.conrelid")
    ))
}

/// Indexes that do not belong to a constraint.
pub(super) fn indexes(ask: &Ask) -> String {
    let nulls = ask.pick(NULLS_NOT_DISTINCT, "i.indnullsnotdistinct", "false");
    json(&format!(
        "select i.indexrelid::int8 as oid, n.nspname as schema, c.relname as name, i.indrelid::int8 as relation,
           tn.nspname as table_schema, t.relname as table_name, i.indisunique as unique, nullif(am.amname, 'btree') as method,
           i.indkey::int2[] as keys, i.indnkeyatts as key_columns, i.indoption::int2[] as options,
           i.indclass::oid[]::int8[] as classes, i.indcollation::oid[]::int8[] as collations,
           case when exists (select from unnest(i.indcollation::oid[]) x where x not in (0, 100)) then
             (select json_agg(x::regcollation::text order by o) from unnest(i.indcollation::oid[]) with ordinality u(x, o))
           end as collation_names,
           case when i.indexprs is not null then
             (select json_agg(pg_get_indexdef(i.indexrelid, k, false) order by k) from generate_series(1, i.indnkeyatts::int) k)
           end as texts,
           case when i.indexprs is not null and exists (select from unnest(i.indcollation::oid[]) x where x not in (0, 100)) then
             pg_get_indexdef(i.indexrelid) end as definition,
           (select json_agg(json_build_array(a.attnum, a.attoptions)) from pg_attribute a
             where a.attrelid = i.indexrelid and a.attoptions is not null) as class_settings,
           pg_get_expr(i.indpred, i.indrelid) as predicate, {nulls} as nulls_not_distinct, i.indisvalid as valid,
           c.relkind = 'I' as divided, case when not hi.indisvalid then json_build_array(hn.nspname, hc.relname) end as attached_to,
           i.indisclustered as clustered, i.indisreplident as replica_identity, c.reloptions as settings,
           ts.spcname as tablespace, h.inhparent::int8 as parent, d.description as comment
         from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
           join pg_class t on t.oid = i.indrelid join pg_namespace tn on tn.oid = t.relnamespace
           join pg_am am on am.oid = c.relam left join pg_tablespace ts on ts.oid = c.reltablespace
           left join pg_inherits h on h.inhrelid = c.oid left join pg_index hi on hi.indexrelid = h.inhparent
           left join pg_class hc on hc.oid = hi.indexrelid left join pg_namespace hn on hn.oid = hc.relnamespace
           left join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
         where t.relkind in ('r', 'p', 'm')
           and not exists (select from pg_constraint k where k.conindid = c.oid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x'))
           and {}",
        ask.own("c.oid", "c.relname", "pg_class")
    ))
}

/// Operator classes, which index parts name by id.
pub(super) fn classes() -> String {
    json(
        "select o.oid::int8 as oid, o.opcdefault as standard,
           case when n.nspname = 'pg_catalog' then '' else quote_ident(n.nspname) || '.' end || quote_ident(o.opcname) as name
         from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace",
    )
}

/// Views and materialized views.
pub(super) fn views(ask: &Ask) -> String {
    json(&format!(
        "select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind = 'm' as materialized,
           pg_get_viewdef(c.oid) as query, c.reloptions as settings, c.relispopulated as populated,
           ts.spcname as tablespace, nullif(am.amname, 'heap') as access_method, d.description as comment,
           (select json_agg(json_build_array(a.attname, s.description, pg_get_expr(f.adbin, f.adrelid)))
              from pg_attribute a left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
                left join pg_description s on s.classoid = 'pg_class'::regclass and s.objoid = a.attrelid and s.objsubid = a.attnum
             where a.attrelid = c.oid and a.attnum > 0 and (f.oid is not null or s.description is not null)) as columns
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
           left join pg_tablespace ts on ts.oid = c.reltablespace left join pg_am am on am.oid = c.relam
           left join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
         where c.relkind in ('v', 'm') and {}",
        ask.own("c.oid", "c.relname", "pg_class")
    ))
}
