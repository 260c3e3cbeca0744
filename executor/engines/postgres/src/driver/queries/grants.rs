//! The query for privileges.

use super::{Ask, FIRST_OWN, json};
use crate::dialect::versions;

/// Privileges of others than the owner that are not the server's own default, and defaults that were revoked.
pub(in super::super) fn grants(ask: &Ask) -> String {
    let rows = |class: u32, catalog: &str, prefix: &str, kind: &str, only: &str| {
        format!(
            "select {class} as class, x.oid, null::name as attname, x.{prefix}acl as acl,
               acldefault({kind}, x.{prefix}owner) as usual, x.{prefix}owner as owner
             from {catalog} x where x.{prefix}acl is not null and {only}"
        )
    };
    let whole = |class, catalog, prefix, kind, only: &str| {
        rows(class, catalog, prefix, kind, &format!("{only} and {}", ask.part("x.oid")))
    };
    let anyway = |class, catalog, prefix, kind, only: &str| {
        rows(class, catalog, prefix, kind, &format!("{only} and x.oid >= {FIRST_OWN}"))
    };
    // What everyone may do in the schema that every database has.
    let create = ask.pick(versions::PUBLIC_IS_THE_OWNERS, "", ", makeaclitem(0, x.nspowner, 'CREATE', false)");
    let public = match &ask.only {
        super::Only::Pulled => "true".to_owned(),
        super::Only::These(_) => ask.part("x.oid"),
    };
    let parts = [
        whole(
            1259,
            "pg_class",
            "rel",
            "case x.relkind when 'S' then 's'::\"char\" else 'r'::\"char\" end",
            "x.relkind in ('r', 'p', 'v', 'm', 'S')",
        ),
        format!(
            "select 2615, x.oid, null::name, x.nspacl, acldefault('n', x.nspowner) || case when x.nspname = 'public'
               then array[makeaclitem(0, x.nspowner, 'USAGE', false){create}]::aclitem[] else '{{}}' end, x.nspowner
             from pg_namespace x where x.nspacl is not null and (x.nspname = 'public' and {public} or {})",
            ask.part("x.oid")
        ),
        // What has no kind of its own is always asked for all together.
        anyway(1417, "pg_foreign_server", "srv", "'S'", "true"),
        anyway(2328, "pg_foreign_data_wrapper", "fdw", "'F'", "true"),
        anyway(2612, "pg_language", "lan", "'l'", "true"),
        anyway(1259, "pg_class", "rel", "'r'", "x.relkind = 'f'"),
        // In one schema they add to what is usual, for all schemas they stand for it.
        format!(
            "select 826, x.oid, null::name, x.defaclacl, case when x.defaclnamespace = 0 then
               acldefault(case x.defaclobjtype when 'S' then 's'::\"char\" else x.defaclobjtype end, x.defaclrole) end, x.defaclrole
             from pg_default_acl x where {}",
            ask.part("x.oid")
        ),
        whole(1255, "pg_proc", "pro", "'f'", "true"),
        whole(1247, "pg_type", "typ", "'T'", "true"),
        format!(
            "select 1259, c.oid, a.attname, a.attacl, null::aclitem[], c.relowner
             from pg_attribute a join pg_class c on c.oid = a.attrelid
             where a.attacl is not null and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm') and {}",
            ask.part("c.oid")
        ),
    ]
    .join(" union all ");
    let role = "case when e.grantee = 0 then 'public' else pg_get_userbyid(e.grantee)::text end";
    let half = |of: &str, other: &str, revoked: bool| {
        format!(
            "select o.class, o.oid::int8 as oid, o.attname as column, {role} as role, lower(e.privilege_type) as privilege,
               bool_or(e.is_grantable) as grantable, {revoked} as revoked
             from o cross join lateral aclexplode(o.{of}) e
             where e.grantee <> o.owner and not exists (select from aclexplode(o.{other}) u
               where u.grantee = e.grantee and u.privilege_type = e.privilege_type and u.is_grantable = e.is_grantable)
             group by 1, 2, 3, 4, 5"
        )
    };
    json(&format!("with o as ({parts}) {} union all {}", half("acl", "usual", false), half("usual", "acl", true)))
}

/// What default privileges are called: on what, by whom, and where.
pub(super) const DEFAULTS_NAME: &str =
    "concat(case x.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
     when 'T' then 'types' else 'schemas' end, ' by ', quote_ident(pg_get_userbyid(x.defaclrole)),
     (select ' in ' || quote_ident(n.nspname) from pg_namespace n where n.oid = x.defaclnamespace))";

/// Default privileges, without those of what they are on.
pub(in super::super) fn default_privileges(ask: &Ask) -> String {
    let only = match &ask.only {
        super::Only::Pulled => format!("x.oid >= {FIRST_OWN}"),
        super::Only::These(_) => ask.part("x.oid"),
    };
    json(&format!(
        "select x.oid::int8 as oid, {DEFAULTS_NAME} as name from pg_default_acl x
         where x.defaclobjtype in ('r', 'S', 'f', 'T', 'n') and {only}"
    ))
}
