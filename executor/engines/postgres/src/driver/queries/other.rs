//! The queries for everything but relations. Texts that the server has no function for are put together here, as `pg_dump` does.

use super::{Ask, json};
use crate::dialect::versions;

/// A query for objects whose definition is one or more texts: `schema` is null where they have none, `relation` where they are no
/// part of one, `signature` where they are no routine.
fn sources(kind: &str, from: &Source<'_>) -> String {
    let Source { oid, schema, relation, name, signature, create, class, tables, only } = from;
    format!(
        "select '{kind}' as kind, {oid}::int8 as oid, {schema} as schema, {relation} as relation, {name} as name,
           {signature} as signature, {create} as \"create\", d.description as comment
         from {tables} left join pg_description d on d.classoid = '{class}'::regclass and d.objoid = {oid} and d.objsubid = 0
         where {only}"
    )
}

struct Source<'a> {
    oid: &'a str,
    schema: &'a str,
    relation: &'a str,
    name: &'a str,
    signature: &'a str,
    create: &'a str,
    class: &'a str,
    tables: &'a str,
    only: &'a str,
}

/// Schemas. The one that every database has comes without the comment that it has from the beginning.
pub(in super::super) fn namespaces(ask: &Ask) -> String {
    json(&format!(
        "select n.oid::int8 as oid, n.nspname as name,
           case when n.nspname <> 'public' or d.description <> 'standard public schema' then d.description end as comment
         from pg_namespace n
           left join pg_description d on d.classoid = 'pg_namespace'::regclass and d.objoid = n.oid and d.objsubid = 0
         where n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'mig', 'mig_trash')
           and (n.nspname = 'public' and {} or {})",
        match ask.only {
            super::Only::Pulled => "true".to_owned(),
            super::Only::These(_) => ask.part("n.oid"),
        },
        ask.global("n.oid", "n.nspname", "pg_namespace")
    ))
}

/// Extensions, without the language that every database has. A comment counts where it is not the one that the extension brings.
pub(in super::super) fn extensions(ask: &Ask) -> String {
    json(&format!(
        "select x.oid::int8 as oid, x.extname as name, n.nspname as schema, x.extversion as version,
           nullif(d.description, (select a.comment from pg_available_extensions() a where a.name = x.extname)) as comment
         from pg_extension x join pg_namespace n on n.oid = x.extnamespace
           left join pg_description d on d.classoid = 'pg_extension'::regclass and d.objoid = x.oid and d.objsubid = 0
         where x.extname <> 'plpgsql' and {}",
        ask.part("x.oid")
    ))
}

/// Enums, domains, composite types and ranges.
pub(in super::super) fn types(ask: &Ask) -> String {
    // Its name is said where it is not the one that the server gives.
    let multirange = ask.pick(
        versions::MULTIRANGES,
        "(select ', multirange_type_name = ' || m.oid::regtype from pg_type m where m.oid = r.rngmultitypid
            and (m.typnamespace <> t.typnamespace or m.typname <> case when t.typname like '%range%'
              then regexp_replace(t.typname, 'range', 'multirange') else t.typname || '_multirange' end))",
        "''",
    );
    json(&format!(
        "select t.oid::int8 as oid, n.nspname as schema, t.typname as name, t.typtype as kind, nullif(t.typrelid, 0)::int8 as relation,
           (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels,
           case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as base, t.typnotnull as not_null,
           case when t.typtype = 'd' then coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) end as standard,
           case when t.typtype = 'd' and t.typcollation not in (0, b.typcollation) then t.typcollation::regcollation::text end as collation,
           case when t.typtype = 'd' then (select json_agg(json_build_array(k.conname, pg_get_expr(k.conbin, 0), kd.description))
             from pg_constraint k left join pg_description kd
               on kd.classoid = 'pg_constraint'::regclass and kd.objoid = k.oid where k.contypid = t.oid and k.contype = 'c') end as checks,
           case t.typtype when 'c' then format('CREATE TYPE %s AS (%s)', t.oid::regtype, (select string_agg(concat(quote_ident(a.attname), ' ',
             format_type(a.atttypid, a.atttypmod), case when a.attcollation not in (0, y.typcollation) then
               concat(' COLLATE ', a.attcollation::regcollation) end), ', ' order by a.attnum)
             from pg_attribute a join pg_type y on y.oid = a.atttypid
             where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
           when 'r' then format('CREATE TYPE %s AS RANGE (subtype = %s%s%s%s%s%s)', t.oid::regtype,
             format_type(r.rngsubtype, null),
             case when not o.opcdefault then concat(', subtype_opclass = ', quote_ident(opn.nspname), '.', quote_ident(o.opcname)) end,
             case when r.rngcollation not in (0, st.typcollation) then concat(', collation = ', r.rngcollation::regcollation) end,
             case when r.rngcanonical <> 0 then concat(', canonical = ', r.rngcanonical::regproc) end,
             case when r.rngsubdiff <> 0 then concat(', subtype_diff = ', r.rngsubdiff::regproc) end, {multirange}) end as \"create\",
           (select json_agg(format('COMMENT ON COLUMN %s.%I IS %L', t.oid::regtype, a.attname, r.description) order by a.attnum)
             from pg_attribute a join pg_description r
               on r.classoid = 'pg_class'::regclass and r.objoid = a.attrelid and r.objsubid = a.attnum
             where t.typtype = 'c' and a.attrelid = t.typrelid) as remarks,
           d.description as comment
         from pg_type t join pg_namespace n on n.oid = t.typnamespace
           left join pg_type b on b.oid = t.typbasetype
           left join pg_class tc on tc.oid = t.typrelid
           left join pg_range r on r.rngtypid = t.oid left join pg_opclass o on o.oid = r.rngsubopc
           left join pg_namespace opn on opn.oid = o.opcnamespace left join pg_type st on st.oid = r.rngsubtype
           left join pg_description d on d.classoid = 'pg_type'::regclass and d.objoid = t.oid and d.objsubid = 0
         where (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and tc.relkind = 'c') and {}",
        ask.own("t.oid", "t.typname", "pg_type")
    ))
}

/// Collations.
pub(in super::super) fn collations(ask: &Ask) -> String {
    let locale = match ask.version {
        versions::COLLATION_LOCALE.. => "c.colllocale",
        versions::ICU_LOCALE.. => "c.colliculocale",
        _ => "case when c.collprovider = 'i' then c.collcollate end",
    };
    let rules = ask.pick(versions::COLLATION_RULES, "c.collicurules", "null::text");
    let create = format!(
        "json_build_array(format('CREATE COLLATION %I.%I (provider = %s%s, %s%s)', n.nspname, c.collname,
           case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
           case when not c.collisdeterministic then ', deterministic = false' end,
           case when c.collprovider in ('i', 'b') then format('locale = %L', {locale})
             when c.collcollate = c.collctype then format('locale = %L', c.collcollate)
             else format('lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype) end,
           ', rules = ' || quote_literal({rules})))"
    );
    json(&sources(
        "collation",
        &Source {
            oid: "c.oid",
            schema: "n.nspname",
            relation: "null",
            name: "c.collname",
            signature: "null",
            create: &create,
            class: "pg_collation",
            tables: "pg_collation c join pg_namespace n on n.oid = c.collnamespace",
            only: &ask.own("c.oid", "c.collname", "pg_collation"),
        },
    ))
}

/// Functions and procedures.
pub(in super::super) fn routines(ask: &Ask) -> String {
    // The constructors of a range type are parts of the type.
    let only = format!(
        "p.prokind in ('f', 'w', 'p') and {} and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass \
         and i.objid = p.oid and i.deptype = 'i')",
        ask.own("p.oid", "p.proname", "pg_proc")
    );
    let query = sources(
        "function",
        &Source {
            oid: "p.oid",
            schema: "n.nspname",
            relation: "null",
            name: "p.proname",
            signature: "pg_get_function_identity_arguments(p.oid)",
            create: "json_build_array(pg_get_functiondef(p.oid))",
            class: "pg_proc",
            tables: "pg_proc p join pg_namespace n on n.oid = p.pronamespace",
            only: &only,
        },
    );
    json(&query.replace("'function' as kind", "case when p.prokind = 'p' then 'procedure' else 'function' end as kind"))
}

/// Aggregates.
pub(in super::super) fn aggregates(ask: &Ask) -> String {
    let create = "json_build_array(format('CREATE AGGREGATE %I.%I(%s) (%s)', n.nspname, p.proname,
           pg_get_function_arguments(p.oid), concat_ws(', ',
           'SFUNC = ' || a.aggtransfn::regproc, 'STYPE = ' || format_type(a.aggtranstype, null),
           case when a.aggtransspace <> 0 then 'SSPACE = ' || a.aggtransspace end,
           case when a.aggfinalfn <> 0 then 'FINALFUNC = ' || a.aggfinalfn::regproc end,
           case when a.aggfinalextra then 'FINALFUNC_EXTRA' end,
           case when a.aggfinalfn <> 0 and a.aggfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
             'FINALFUNC_MODIFY = ' || case a.aggfinalmodify when 'r' then 'READ_ONLY' when 's' then 'SHAREABLE' else 'READ_WRITE' end end,
           case when a.aggcombinefn <> 0 then 'COMBINEFUNC = ' || a.aggcombinefn::regproc end,
           case when a.aggserialfn <> 0 then 'SERIALFUNC = ' || a.aggserialfn::regproc end,
           case when a.aggdeserialfn <> 0 then 'DESERIALFUNC = ' || a.aggdeserialfn::regproc end,
           'INITCOND = ' || quote_literal(a.agginitval),
           case when a.aggmtransfn <> 0 then 'MSFUNC = ' || a.aggmtransfn::regproc end,
           case when a.aggminvtransfn <> 0 then 'MINVFUNC = ' || a.aggminvtransfn::regproc end,
           case when a.aggmtranstype <> 0 then 'MSTYPE = ' || format_type(a.aggmtranstype, null) end,
           case when a.aggmtransspace <> 0 then 'MSSPACE = ' || a.aggmtransspace end,
           case when a.aggmfinalfn <> 0 then 'MFINALFUNC = ' || a.aggmfinalfn::regproc end,
           case when a.aggmfinalextra then 'MFINALFUNC_EXTRA' end,
           case when a.aggmfinalfn <> 0 and a.aggmfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
             'MFINALFUNC_MODIFY = ' || case a.aggmfinalmodify when 'r' then 'READ_ONLY' when 's' then 'SHAREABLE' else 'READ_WRITE' end end,
           'MINITCOND = ' || quote_literal(a.aggminitval),
           case when a.aggsortop <> 0 then 'SORTOP = OPERATOR(' || (select quote_ident(sn.nspname) || '.' || s.oprname
             from pg_operator s join pg_namespace sn on sn.oid = s.oprnamespace where s.oid = a.aggsortop) || ')' end,
           case p.proparallel when 's' then 'PARALLEL = SAFE' when 'r' then 'PARALLEL = RESTRICTED' end,
           case when a.aggkind = 'h' then 'HYPOTHETICAL' end)))";
    json(&sources(
        "aggregate",
        &Source {
            oid: "p.oid",
            schema: "n.nspname",
            relation: "null",
            name: "p.proname",
            signature: "pg_get_function_identity_arguments(p.oid)",
            create,
            class: "pg_proc",
            tables: "pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_aggregate a on a.aggfnoid = p.oid",
            only: &ask.own("p.oid", "p.proname", "pg_proc"),
        },
    ))
}

/// A condition for parts of relations that can stand in a pulled schema by themselves.
fn part(ask: &Ask, name: &str, oid: &str, class: &str) -> String {
    match ask.only {
        super::Only::Pulled => {
            format!("{} and {}", ask.own("c.oid", "c.relname", "pg_class"), ask.global(oid, name, class))
        }
        super::Only::These(_) => ask.part("c.oid"),
    }
}

/// Triggers, without those that the server makes for constraints and partitions.
pub(in super::super) fn triggers(ask: &Ask) -> String {
    let create = "array_remove(array[pg_get_triggerdef(t.oid), case when t.tgenabled <> 'O' then
           format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname,
             case t.tgenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end, t.tgname) end], null)";
    json(&sources(
        "trigger",
        &Source {
            oid: "t.oid",
            schema: "n.nspname",
            relation: "c.relname",
            name: "t.tgname",
            signature: "null",
            create,
            class: "pg_trigger",
            tables: "pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace",
            only: &format!(
                "not t.tgisinternal and t.tgparentid = 0 and {}",
                part(ask, "t.tgname", "t.oid", "pg_trigger")
            ),
        },
    ))
}

/// Row security policies.
pub(in super::super) fn policies(ask: &Ask) -> String {
    let create = "json_build_array(concat(format('CREATE POLICY %I ON %I.%I', p.polname, n.nspname, c.relname),
           case when not p.polpermissive then ' AS RESTRICTIVE' end,
           case p.polcmd when 'r' then ' FOR SELECT' when 'a' then ' FOR INSERT' when 'w' then ' FOR UPDATE' when 'd' then ' FOR DELETE' end,
           case when p.polroles <> '{0}' then ' TO ' || (select string_agg(case when r = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r)) end, ', '
             order by r = 0 desc, pg_get_userbyid(r)) from unnest(p.polroles) r) end,
           ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'))";
    json(&sources(
        "policy",
        &Source {
            oid: "p.oid",
            schema: "n.nspname",
            relation: "c.relname",
            name: "p.polname",
            signature: "null",
            create,
            class: "pg_policy",
            tables: "pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace",
            only: &part(ask, "p.polname", "p.oid", "pg_policy"),
        },
    ))
}

/// Rewrite rules, without those that make views.
pub(in super::super) fn rules(ask: &Ask) -> String {
    let create = "array_remove(array[pg_get_ruledef(r.oid), case when r.ev_enabled <> 'O' then
           format('ALTER TABLE %I.%I %s RULE %I', n.nspname, c.relname,
             case r.ev_enabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end, r.rulename) end], null)";
    json(&sources(
        "rule",
        &Source {
            oid: "r.oid",
            schema: "n.nspname",
            relation: "c.relname",
            name: "r.rulename",
            signature: "null",
            create,
            class: "pg_rewrite",
            tables: "pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace",
            only: &format!("r.rulename <> '_RETURN' and {}", part(ask, "r.rulename", "r.oid", "pg_rewrite")),
        },
    ))
}

/// Extended statistics.
pub(in super::super) fn statistics(ask: &Ask) -> String {
    let target = ask.pick(versions::NO_TARGET_IS_NULL, "s.stxstattarget", "nullif(s.stxstattarget, -1)");
    let create = format!(
        "array_remove(array[pg_get_statisticsobjdef(s.oid), case when {target} is not null then
           format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, {target}) end], null)"
    );
    json(&sources(
        "statistics",
        &Source {
            oid: "s.oid",
            schema: "n.nspname",
            relation: "null",
            name: "s.stxname",
            signature: "null",
            create: &create,
            class: "pg_statistic_ext",
            tables: "pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace",
            only: &ask.own("s.oid", "s.stxname", "pg_statistic_ext"),
        },
    ))
}

/// Event triggers.
pub(in super::super) fn event_triggers(ask: &Ask) -> String {
    let create = "array_remove(array[concat(format('CREATE EVENT TRIGGER %I ON %s', t.evtname, t.evtevent),
           ' WHEN TAG IN (' || (select string_agg(quote_literal(g), ', ') from unnest(t.evttags) g) || ')',
           format(' EXECUTE FUNCTION %s()', t.evtfoid::regproc)), case when t.evtenabled <> 'O' then
           format('ALTER EVENT TRIGGER %I %s', t.evtname,
             case t.evtenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end) end], null)";
    json(&sources(
        "event-trigger",
        &Source {
            oid: "t.oid",
            schema: "null",
            relation: "null",
            name: "t.evtname",
            signature: "null",
            create,
            class: "pg_event_trigger",
            tables: "pg_event_trigger t",
            only: &ask.global("t.oid", "t.evtname", "pg_event_trigger"),
        },
    ))
}

/// What the model has no kind for: what it is called, and what the catalog says of it.
pub(in super::super) fn opaque(ask: &Ask) -> String {
    let from = |class: &str, says: &str, only: &str| {
        format!(
            "select '{class}'::regclass as class, x.oid, concat_ws(' ', {says}) as says from {class} x where {only}"
        )
    };
    let own = |class: &str, name: &str, namespace: &str, says: &str| {
        let only = format!(
            "exists (select from pg_namespace n where n.oid = x.{namespace} and {})",
            ask_all(ask).own("x.oid", &format!("x.{name}"), class)
        );
        from(class, says, &only)
    };
    let global = |class: &str, name: &str, says: &str| {
        from(class, says, &ask_all(ask).global("x.oid", &format!("{name}::text"), class))
    };
    let parts = [
        own("pg_ts_parser", "prsname", "prsnamespace", "prsstart, prstoken, prsend, prsheadline, prslextype"),
        own("pg_ts_template", "tmplname", "tmplnamespace", "tmplinit, tmpllexize"),
        global("pg_transform", "''", "trffromsql, trftosql"),
        format!(
            "{} and x.typtype in ('b', 'p') and not (x.typelem <> 0 and x.typcategory = 'A')",
            own("pg_type", "typname", "typnamespace", "typlen, typinput, typoutput, typcategory, typalign, typstorage")
        ),
        format!(
            "{} and x.relkind = 'f' and x.relispartition",
            own("pg_class", "relname", "relnamespace", "pg_get_expr(x.relpartbound, x.oid)")
        ),
    ]
    .join(" union all ");
    json(&format!(
        "select o.class::oid::int8 as class, o.oid::int8 as oid, i.type as what, i.identity, o.says, d.description as comment
         from ({parts}) o cross join lateral pg_identify_object(o.class, o.oid, 0) i
           left join pg_description d on d.classoid = o.class and d.objoid = o.oid and d.objsubid = 0"
    ))
}

/// Opaque objects are always asked for all together: they are few, and their names are no catalog names.
fn ask_all(ask: &Ask) -> Ask {
    Ask { version: ask.version, only: super::Only::Pulled }
}
