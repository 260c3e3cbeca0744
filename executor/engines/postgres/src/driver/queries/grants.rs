//! The query for privileges.

use super::{Ask, json};

/// Privileges of others than the owner that are not the server's own default, and defaults that were revoked.
pub(in super::super) fn grants(ask: &Ask) -> String {
    let whole = |class: u32, catalog: &str, prefix: &str, kind: &str, only: &str| {
        format!(
            "select {class} as class, x.oid, null::name as attname, x.{prefix}acl as acl,
               acldefault({kind}, x.{prefix}owner) as usual, x.{prefix}owner as owner
             from {catalog} x where x.{prefix}acl is not null and {only} and {}",
            ask.part("x.oid")
        )
    };
    let parts = [
        whole(
            1259,
            "pg_class",
            "rel",
            "case x.relkind when 'S' then 's'::\"char\" else 'r'::\"char\" end",
            "x.relkind in ('r', 'p', 'v', 'm', 'S')",
        ),
        whole(2615, "pg_namespace", "nsp", "'n'", "true"),
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
