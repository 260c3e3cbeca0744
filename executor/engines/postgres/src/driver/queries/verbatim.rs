//! Objects that have no kind of their own: each is what `DROP` calls it, and the statements that make it, put together as `pg_dump` does.

use super::{Ask, Only, json};
use crate::dialect::{foreign::SECRETS, versions};

/// One catalog: its rows `x`, in schema `n` if they have one.
struct Part<'a> {
    class: &'a str,
    /// What is read in the place of the catalog, if that is closed to most.
    view: Option<&'a str>,
    tables: &'a str,
    /// What `DROP` calls it.
    name: String,
    /// A JSON list of statements.
    create: String,
    only: String,
}

/// Options as `OPTIONS (a 'b')`, from an array of `a=b`.
fn options(array: &str) -> String {
    format!(
        "(select ' OPTIONS (' || string_agg(quote_ident(o.option_name) || ' ' || quote_literal(o.option_value), ', ') || ')'
           from pg_options_to_table({array}) o)"
    )
}

/// Casts, operators and their classes, text search, languages, access methods, conversions, foreign data and publications.
pub(in super::super) fn others(ask: &Ask) -> String {
    // They are few, and their names are no catalog names: always all of them.
    let ask = &Ask { version: ask.version, only: Only::Pulled };
    let parts: Vec<String> = [operators(ask), searching(ask), foreign(ask), rest(ask)]
        .into_iter()
        .flatten()
        .map(|part| {
            let Part { class, view, tables, name, create, only } = part;
            let from = view.unwrap_or(class);
            format!(
                "select '{class}'::regclass as class, x.oid, {name} as name, {create}::json as \"create\" from {from} x {tables} where {only}"
            )
        })
        .collect();
    json(&format!(
        "select 'other' as kind, o.class::oid::int8 as class, o.oid::int8 as oid, null as schema, null as relation, o.name,
           null as signature, o.\"create\", d.description as comment
         from ({}) o left join pg_description d on d.classoid = o.class and d.objoid = o.oid and d.objsubid = 0",
        parts.join(" union all ")
    ))
}

/// A condition that a row does not belong to another object.
fn free(class: &str) -> String {
    format!(
        "not exists (select from pg_depend i where i.classid = '{class}'::regclass and i.objid = x.oid and i.deptype = 'i')"
    )
}

fn operators(ask: &Ask) -> Vec<Part<'static>> {
    let operator = |oid: &str| {
        format!(
            "(select format('OPERATOR(%I.%s)', m.nspname, p.oprname) from pg_operator p join pg_namespace m on m.oid = p.oprnamespace where p.oid = {oid})"
        )
    };
    let members = |of: &str, class: &str, oid: &str| {
        let belongs = |entry: &str, row: &str| {
            format!(
                "exists (select from pg_depend d where d.classid = '{entry}'::regclass and d.objid = {row}.oid and d.refclassid = '{class}'::regclass and d.refobjid = {oid})"
            )
        };
        format!(
            "(select string_agg(e.t, ', ' order by e.k, e.s, e.t) from (
               select 1 as k, m.amopstrategy as s, concat('OPERATOR ', m.amopstrategy, ' ', m.amopopr::regoperator,
                 ' FOR ORDER BY ' || (select format('%I.%I', fn.nspname, f.opfname) from pg_opfamily f join pg_namespace fn on fn.oid = f.opfnamespace
                   where f.oid = m.amopsortfamily)) as t
                 from pg_amop m where m.amopfamily = {of} and {}
               union all select 2, m.amprocnum, concat('FUNCTION ', m.amprocnum, ' (', format_type(m.amproclefttype, null), ', ',
                 format_type(m.amprocrighttype, null), ') ', m.amproc::regprocedure)
                 from pg_amproc m where m.amprocfamily = {of} and {}) e)",
            belongs("pg_amop", "m"),
            belongs("pg_amproc", "m")
        )
    };
    let method = "(select quote_ident(a.amname) from pg_am a where a.oid = x.{})";
    let (of_class, of_family) = (method.replace("{}", "opcmethod"), method.replace("{}", "opfmethod"));
    vec![
        Part {
            class: "pg_operator",
            view: None,
            tables: "join pg_namespace n on n.oid = x.oprnamespace",
            name: "format('operator %I.%s (%s, %s)', n.nspname, x.oprname,
                case when x.oprleft = 0 then 'NONE' else format_type(x.oprleft, null) end, format_type(x.oprright, null))"
                .to_owned(),
            create: format!(
                "json_build_array(format('CREATE OPERATOR %I.%s (%s)', n.nspname, x.oprname, concat_ws(', ', 'FUNCTION = ' || x.oprcode::regproc,
                   case when x.oprleft <> 0 then 'LEFTARG = ' || format_type(x.oprleft, null) end,
                   case when x.oprright <> 0 then 'RIGHTARG = ' || format_type(x.oprright, null) end,
                   'COMMUTATOR = ' || {}, 'NEGATOR = ' || {},
                   case when x.oprrest <> 0 then 'RESTRICT = ' || x.oprrest::regproc end,
                   case when x.oprjoin <> 0 then 'JOIN = ' || x.oprjoin::regproc end,
                   case when x.oprcanhash then 'HASHES' end, case when x.oprcanmerge then 'MERGES' end)))",
                operator("nullif(x.oprcom, 0)"),
                operator("nullif(x.oprnegate, 0)")
            ),
            only: format!("x.oprcode <> 0 and {}", ask.own("x.oid", "x.oprname", "pg_operator")),
        },
        Part {
            class: "pg_opfamily",
            view: None,
            tables: "join pg_namespace n on n.oid = x.opfnamespace",
            name: format!("format('operator family %I.%I USING %s', n.nspname, x.opfname, {of_family})"),
            create: format!(
                "to_json(array_remove(array[format('CREATE OPERATOR FAMILY %I.%I USING %s', n.nspname, x.opfname, {of_family}),
                   format('ALTER OPERATOR FAMILY %I.%I USING %s ADD ', n.nspname, x.opfname, {of_family}) || {}], null))",
                members("x.oid", "pg_opfamily", "x.oid")
            ),
            only: ask.own("x.oid", "x.opfname", "pg_opfamily"),
        },
        Part {
            class: "pg_opclass",
            view: None,
            tables: "join pg_namespace n on n.oid = x.opcnamespace join pg_opfamily f on f.oid = x.opcfamily
                join pg_namespace fn on fn.oid = f.opfnamespace",
            name: format!("format('operator class %I.%I USING %s', n.nspname, x.opcname, {of_class})"),
            create: format!(
                "json_build_array(concat(format('CREATE OPERATOR CLASS %I.%I', n.nspname, x.opcname), case when x.opcdefault then ' DEFAULT' end,
                   format(' FOR TYPE %s USING %s FAMILY %I.%I AS ', format_type(x.opcintype, null), {of_class}, fn.nspname, f.opfname),
                   concat_ws(', ', {}, case when x.opckeytype <> 0 then 'STORAGE ' || format_type(x.opckeytype, null) end)))",
                members("x.opcfamily", "pg_opclass", "x.oid")
            ),
            only: ask.own("x.oid", "x.opcname", "pg_opclass"),
        },
    ]
}

fn searching(ask: &Ask) -> Vec<Part<'static>> {
    let kind = "text search";
    vec![
        Part {
            class: "pg_ts_dict",
            view: None,
            tables: "join pg_namespace n on n.oid = x.dictnamespace join pg_ts_template t on t.oid = x.dicttemplate
                join pg_namespace tn on tn.oid = t.tmplnamespace",
            name: format!("format('{kind} dictionary %I.%I', n.nspname, x.dictname)"),
            create: format!(
                "json_build_array(concat(format('CREATE {} DICTIONARY %I.%I (TEMPLATE = %I.%I', n.nspname, x.dictname, tn.nspname, t.tmplname),
                   ', ' || x.dictinitoption, ')'))",
                kind.to_uppercase()
            ),
            only: ask.own("x.oid", "x.dictname", "pg_ts_dict"),
        },
        Part {
            class: "pg_ts_config",
            view: None,
            tables: "join pg_namespace n on n.oid = x.cfgnamespace join pg_ts_parser p on p.oid = x.cfgparser
                join pg_namespace pn on pn.oid = p.prsnamespace",
            name: format!("format('{kind} configuration %I.%I', n.nspname, x.cfgname)"),
            create: "to_json(array[format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, x.cfgname, pn.nspname, p.prsname)]
                || array(select format('ALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s', n.nspname, x.cfgname, t.alias,
                     string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno))
                   from pg_ts_config_map m join ts_token_type(x.cfgparser) t on t.tokid = m.maptokentype
                   where m.mapcfg = x.oid group by t.alias order by t.alias))"
                .to_owned(),
            only: ask.own("x.oid", "x.cfgname", "pg_ts_config"),
        },
    ]
}

fn foreign(ask: &Ask) -> Vec<Part<'static>> {
    vec![
        Part {
            class: "pg_foreign_data_wrapper",
            view: None,
            tables: "",
            name: "format('foreign data wrapper %I', x.fdwname)".to_owned(),
            create: format!(
                "json_build_array(concat(format('CREATE FOREIGN DATA WRAPPER %I', x.fdwname), case when x.fdwhandler <> 0 then ' HANDLER ' || x.fdwhandler::regproc end,
                   case when x.fdwvalidator <> 0 then ' VALIDATOR ' || x.fdwvalidator::regproc end, {}))",
                options("x.fdwoptions")
            ),
            only: ask.global("x.oid", "x.fdwname", "pg_foreign_data_wrapper"),
        },
        Part {
            class: "pg_foreign_server",
            view: None,
            tables: "join pg_foreign_data_wrapper w on w.oid = x.srvfdw",
            name: "format('server %I', x.srvname)".to_owned(),
            create: format!(
                "json_build_array(concat(format('CREATE SERVER %I', x.srvname), ' TYPE ' || quote_literal(x.srvtype), ' VERSION ' || quote_literal(x.srvversion),
                   format(' FOREIGN DATA WRAPPER %I', w.fdwname), {}))",
                options("x.srvoptions")
            ),
            only: ask.global("x.oid", "x.srvname", "pg_foreign_server"),
        },
        Part {
            class: "pg_class",
            view: None,
            tables: "join pg_namespace n on n.oid = x.relnamespace join pg_foreign_table f on f.ftrelid = x.oid
                join pg_foreign_server s on s.oid = f.ftserver",
            name: "format('foreign table %I.%I', n.nspname, x.relname)".to_owned(),
            create: format!(
                "json_build_array(concat(format('CREATE FOREIGN TABLE %I.%I (', n.nspname, x.relname), (select string_agg(e.t, ', ' order by e.k, e.s, e.t) from (
                     select 1 as k, a.attnum as s, concat(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), {},
                       case when a.attcollation not in (0, t.typcollation) then ' COLLATE ' || a.attcollation::regcollation end,
                       case when a.attgenerated = '' then ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
                         else ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED' end, case when a.attnotnull then ' NOT NULL' end) as t
                       from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                       where a.attrelid = x.oid and a.attnum > 0 and not a.attisdropped and a.attislocal
                     union all select 2, 0, format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) from pg_constraint k
                       where k.conrelid = x.oid and k.contype = 'c' and k.conislocal) e),
                   ')', (select ' INHERITS (' || string_agg(h.inhparent::regclass::text, ', ' order by h.inhseqno) || ')' from pg_inherits h where h.inhrelid = x.oid),
                   format(' SERVER %I', s.srvname), {}))",
                options("a.attfdwoptions"),
                options("f.ftoptions")
            ),
            only: format!("not x.relispartition and {}", ask.own("x.oid", "x.relname", "pg_class")),
        },
        user_mappings(ask),
        publication(ask),
    ]
}

/// User mappings, without what is secret in them.
fn user_mappings(ask: &Ask) -> Part<'static> {
    let secret = SECRETS.join("|");
    let told = format!(
        "(select ' OPTIONS (' || string_agg(quote_ident(o.option_name) || ' ' || quote_literal(o.option_value), ', ') || ')'
           from pg_options_to_table(x.umoptions) o where o.option_name !~ '({secret})$')"
    );
    let name = "concat('user mapping for ', case when x.umuser = 0 then 'PUBLIC' else quote_ident(x.usename) end, format(' server %I', x.srvname))";
    Part {
        class: "pg_user_mapping",
        view: Some("(select umid as oid, * from pg_user_mappings)"),
        tables: "",
        name: name.to_owned(),
        create: format!(
            "json_build_array(concat('CREATE USER MAPPING FOR ', case when x.umuser = 0 then 'PUBLIC' else quote_ident(x.usename) end,
               format(' SERVER %I', x.srvname), {told}))"
        ),
        only: ask.global("x.oid", "''", "pg_user_mapping"),
    }
}

fn publication(ask: &Ask) -> Part<'static> {
    let columns = ask.pick(
        15,
        "(select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')' from pg_attribute a
            where a.attrelid = r.prrelid and a.attnum = any(r.prattrs::int2[]))",
        "''",
    );
    let rows = ask.pick(versions::PARTS_PUBLISHED, "' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'", "''");
    let schemas = ask.pick(
        15,
        "select 'TABLES IN SCHEMA ' || quote_ident(m.nspname) from pg_publication_namespace p
            join pg_namespace m on m.oid = p.pnnspid where p.pnpubid = x.oid",
        "select null::text where false",
    );
    // Older servers say the word once, before all tables.
    let (before, each) = (
        ask.pick(versions::PARTS_PUBLISHED, " FOR ", " FOR TABLE "),
        ask.pick(versions::PARTS_PUBLISHED, "TABLE ONLY ", "ONLY "),
    );
    let generated = ask.pick(
        versions::GENERATED_PUBLISHED,
        "case when x.pubgencols = 's' then 'publish_generated_columns = stored' end",
        "null",
    );
    Part {
        class: "pg_publication",
        view: None,
        tables: "",
        name: "format('publication %I', x.pubname)".to_owned(),
        create: format!(
            "json_build_array(concat(format('CREATE PUBLICATION %I', x.pubname), case when x.puballtables then ' FOR ALL TABLES' end,
               '{before}' || (select string_agg(e.t, ', ' order by e.t) from (
                 select concat('{each}', r.prrelid::regclass, {columns}, {rows}) as t from pg_publication_rel r where r.prpubid = x.oid
                 union all {schemas}) e),
               ' WITH (' || nullif(concat_ws(', ', case when not (x.pubinsert and x.pubupdate and x.pubdelete and x.pubtruncate) then
                 'publish = ' || quote_literal(concat_ws(', ', case when x.pubinsert then 'insert' end, case when x.pubupdate then 'update' end,
                   case when x.pubdelete then 'delete' end, case when x.pubtruncate then 'truncate' end)) end,
                 case when x.pubviaroot then 'publish_via_partition_root = true' end, {generated}), '') || ')'))"
        ),
        only: ask.global("x.oid", "x.pubname", "pg_publication"),
    }
}

fn rest(ask: &Ask) -> Vec<Part<'static>> {
    vec![
        Part {
            class: "pg_cast",
            view: None,
            tables: "",
            name: "format('cast (%s AS %s)', format_type(x.castsource, null), format_type(x.casttarget, null))".to_owned(),
            create: "json_build_array(concat(format('CREATE CAST (%s AS %s) ', format_type(x.castsource, null), format_type(x.casttarget, null)),
                case x.castmethod when 'f' then 'WITH FUNCTION ' || x.castfunc::regprocedure when 'i' then 'WITH INOUT' else 'WITHOUT FUNCTION' end,
                case x.castcontext when 'a' then ' AS ASSIGNMENT' when 'i' then ' AS IMPLICIT' end))"
                .to_owned(),
            // The casts of a range type to its multirange are parts of the type.
            only: format!("{} and {}", ask.global("x.oid", "''", "pg_cast"), free("pg_cast")),
        },
        Part {
            class: "pg_conversion",
            view: None,
            tables: "join pg_namespace n on n.oid = x.connamespace",
            name: "format('conversion %I.%I', n.nspname, x.conname)".to_owned(),
            create: "json_build_array(concat('CREATE ', case when x.condefault then 'DEFAULT ' end, format('CONVERSION %I.%I FOR %L TO %L FROM %s',
                n.nspname, x.conname, pg_encoding_to_char(x.conforencoding), pg_encoding_to_char(x.contoencoding), x.conproc::regproc)))"
                .to_owned(),
            only: ask.own("x.oid", "x.conname", "pg_conversion"),
        },
        Part {
            class: "pg_language",
            view: None,
            tables: "",
            name: "format('language %I', x.lanname)".to_owned(),
            create: "json_build_array(concat('CREATE ', case when x.lanpltrusted then 'TRUSTED ' end, format('LANGUAGE %I HANDLER %s', x.lanname, x.lanplcallfoid::regproc),
                case when x.laninline <> 0 then ' INLINE ' || x.laninline::regproc end,
                case when x.lanvalidator <> 0 then ' VALIDATOR ' || x.lanvalidator::regproc end))"
                .to_owned(),
            only: ask.global("x.oid", "x.lanname", "pg_language"),
        },
        Part {
            class: "pg_am",
            view: None,
            tables: "",
            name: "format('access method %I', x.amname)".to_owned(),
            create: "json_build_array(format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', x.amname,
                case x.amtype when 't' then 'TABLE' else 'INDEX' end, x.amhandler::regproc))"
                .to_owned(),
            only: ask.global("x.oid", "x.amname", "pg_am"),
        },
    ]
}
