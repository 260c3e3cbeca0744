//! Ids made from a namespace and a name. The server has MD5 of its own; SHA-1 comes with an extension.

use mig_plan::{ObjectKind, Schema, Sql, UuidVersion};

/// The expression of such an id.
pub(crate) fn made(version: UuidVersion, namespace: &str, name: &Sql, schema: &Schema) -> Result<Sql, String> {
    let declared = |extension: &str| {
        schema.objects.keys().any(|at| at.kind() == ObjectKind::Extension && at.name().as_str() == extension)
    };
    let bytes = format!("decode('{namespace}', 'hex') || convert_to(({name})::text, 'UTF8')");
    let (digit, hash) = match version {
        UuidVersion::Three => ('3', format!("md5({bytes})")),
        UuidVersion::Five if declared("pgcrypto") => ('5', format!("encode(digest({bytes}, 'sha1'), 'hex')")),
        UuidVersion::Five if declared("uuid-ossp") => {
            return Ok(Sql::new(format!("uuid_generate_v5('{namespace}'::uuid, ({name})::text)")));
        }
        UuidVersion::Five => {
            return Err(
                "PostgreSQL has no SHA-1 of its own: declare the extension pgcrypto or uuid-ossp, or use `uuid3`"
                    .to_owned(),
            );
        }
    };
    Ok(Sql::new(format!(
        "(SELECT (substr(h, 1, 12) || '{digit}' || substr(h, 14, 3) \
         || to_hex((('x' || substr(h, 17, 1))::bit(4)::integer & 3) | 8) || substr(h, 18, 15))::uuid \
         FROM (SELECT {hash} AS h) AS _mig_h)"
    )))
}
