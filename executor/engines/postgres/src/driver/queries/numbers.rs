//! Queries that give object ids, one line a row: what depends on what, and what stands for what.

use super::FIRST_OWN;

/// Resolves names to the ids of whatever bears them, and to the ids of the tables whose columns are needed to understand those:
/// two array literals, separated by a line break.
pub(in super::super) fn resolve(names: &[(Option<&str>, &str)]) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let wanted = names
        .iter()
        .map(|(schema, name)| format!("({}, {})", schema.map_or("null".to_owned(), literal), literal(name)))
        .collect::<Vec<_>>()
        .join(", ");
    let within = |class: &str, name: &str, namespace: &str| {
        format!(
            "select o.oid from w join pg_namespace n on n.nspname = w.s join {class} o on o.{name} = w.n and o.{namespace} = n.oid"
        )
    };
    let global =
        |class: &str, name: &str| format!("select o.oid from w join {class} o on o.{name} = w.n where w.s is null");
    let sources = [
        within("pg_class", "relname", "relnamespace"),
        within("pg_type", "typname", "typnamespace"),
        within("pg_proc", "proname", "pronamespace"),
        within("pg_collation", "collname", "collnamespace"),
        within("pg_statistic_ext", "stxname", "stxnamespace"),
        global("pg_namespace", "nspname"),
        global("pg_extension", "extname"),
        global("pg_event_trigger", "evtname"),
        format!(
            "select x.oid from w join pg_default_acl x on {} = w.t where w.s is null",
            super::grants::DEFAULTS_NAME
        ),
    ]
    .join(" union ");
    format!(
        "with w(s, n, t) as (select s::name, n::name, n::text from (values {wanted}) v(s, n)), named(oid) as materialized ({sources}),
           near as (select oid from named union select i.indrelid from pg_index i join named on named.oid = i.indexrelid
             union select k.confrelid from pg_constraint k join named on named.oid = k.conrelid where k.confrelid <> 0
             union select t.typrelid from pg_type t join named on named.oid = t.oid where t.typtype = 'c')
         select coalesce((select string_agg(oid::text, ' ') from named), '') || E'\\n'
           || coalesce((select string_agg(oid::text, ' ') from near), '')"
    )
}

/// A number that changes whenever a committed change of the catalog can change a pulled schema.
pub(in super::super) fn stamp() -> String {
    // Temporary tables come and go with sessions and are no part of a schema.
    let part = |class: &str, own: &str, relation: Option<&str>| {
        let lasting = relation.map_or(String::new(), |r| format!(" and {r} not in (select oid from passing)"));
        format!(
            "select count(*), coalesce(sum((xmin::text::int8 + 1) * ({own}::int8 % 1000003)), 0) from {class} \
             where {own} >= {FIRST_OWN}{lasting}"
        )
    };
    let parts = [
        part("pg_namespace", "oid", Some("oid")),
        part("pg_extension", "oid", None),
        part("pg_type", "oid", Some("typnamespace")),
        part("pg_enum", "enumtypid", None),
        part("pg_collation", "oid", None),
        part("pg_sequence", "seqrelid", Some("seqrelid")),
        part("pg_class", "oid", Some("oid")),
        part("pg_attribute", "attrelid", Some("attrelid")),
        part("pg_attrdef", "oid", Some("adrelid")),
        part("pg_constraint", "oid", Some("conrelid")),
        part("pg_index", "indexrelid", Some("indrelid")),
        part("pg_inherits", "inhrelid", Some("inhrelid")),
        part("pg_rewrite", "oid", Some("ev_class")),
        part("pg_proc", "oid", None),
        part("pg_aggregate", "aggfnoid::oid", None),
        part("pg_operator", "oid", None),
        part("pg_cast", "oid", None),
        part("pg_trigger", "oid", Some("tgrelid")),
        part("pg_policy", "oid", Some("polrelid")),
        part("pg_statistic_ext", "oid", None),
        part("pg_event_trigger", "oid", None),
        part("pg_description", "objoid", None),
        part("pg_default_acl", "oid", None),
        part("pg_publication", "oid", None),
        part("pg_publication_rel", "oid", None),
        part("pg_foreign_data_wrapper", "oid", None),
        part("pg_foreign_server", "oid", None),
        part("pg_foreign_table", "ftrelid", None),
        part("pg_opclass", "oid", None),
        part("pg_opfamily", "oid", None),
        part("pg_amop", "oid", None),
        part("pg_amproc", "oid", None),
        part("pg_conversion", "oid", None),
        part("pg_language", "oid", None),
        part("pg_am", "oid", None),
        part("pg_ts_config", "oid", None),
        part("pg_ts_config_map", "mapcfg", None),
        part("pg_ts_dict", "oid", None),
    ]
    .join(" union all ");
    format!(
        "with passing as materialized (select oid from pg_class where relpersistence = 't' \
           union all select oid from pg_namespace where nspname like 'pg\\_%') \
         select string_agg(n || ':' || s, ' ') from ({parts}) p(n, s)"
    )
}

/// What depends on what, by class, id and sub-id of both, one line each.
pub(in super::super) fn depends() -> String {
    format!(
        "select coalesce(string_agg(concat_ws(' ', d.classid::int8, d.objid::int8, d.objsubid, d.refclassid::int8, \
           d.refobjid::int8, d.refobjsubid), E'\\n'), '') from pg_depend d \
         where d.objid >= {FIRST_OWN} and d.refobjid >= {FIRST_OWN} and d.deptype in ('n', 'a', 'i', 'P')
           and not (d.classid = 'pg_type'::regclass and d.deptype = 'i') and not (d.refclassid = 'pg_namespace'::regclass
             and d.refobjid = (select oid from pg_namespace where nspname = 'public'))
           and not (d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
             and d.refobjsubid > 0 and exists (select from pg_sequence s where s.seqrelid = d.objid))"
    )
}

/// Catalog rows that stand for something else: class and id, then class, id and sub-id of what they stand for, one line each.
pub(in super::super) fn links() -> String {
    format!(
        "select coalesce(string_agg(concat_ws(' ', c::oid::int8, o::int8, rc::oid::int8, r::int8, s), E'\\n'), '') from (
           select 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid, adnum::int from pg_attrdef where adrelid >= {FIRST_OWN}
           union all select 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class, 0 from pg_rewrite
             where rulename = '_RETURN' and ev_class >= {FIRST_OWN}
           union all select 'pg_type'::regclass, oid, 'pg_class'::regclass, typrelid, 0 from pg_type
             where typrelid <> 0 and oid >= {FIRST_OWN}
           union all select 'pg_type'::regclass, oid, 'pg_type'::regclass, typelem, 0 from pg_type
             where typelem <> 0 and typcategory = 'A' and oid >= {FIRST_OWN}
           union all select 'pg_publication_rel'::regclass, oid, 'pg_publication'::regclass, prpubid, 0 from pg_publication_rel
           union all select classid::regclass, objid, refclassid::regclass, refobjid, 0 from pg_depend
             where classid in ('pg_amop'::regclass, 'pg_amproc'::regclass)
               and refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass) and deptype in ('a', 'i')
           union all select 'pg_constraint'::regclass, oid, 'pg_type'::regclass, contypid, 0 from pg_constraint where contypid <> 0
           union all select 'pg_class'::regclass, objid, 'pg_class'::regclass, refobjid, refobjsubid from pg_depend
             where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and deptype = 'i' and refobjsubid > 0
           union all select classid::regclass, objid, 'pg_extension'::regclass, refobjid, 0 from pg_depend
             where refclassid = 'pg_extension'::regclass and deptype = 'e'
         ) l(c, o, rc, r, s)"
    )
}
