//! Everything but tables.

use std::collections::BTreeSet;

use mig_plan::{Address, Body, Object, ObjectKind, schema::Domain};

use super::{
    Lines, Writer, options, put, section,
    table::{columns, numbers},
    text::{scalar, string, strings},
};
use crate::spec::{default_domain_check, write_column};

impl Writer<'_> {
    pub(super) fn object(&self, at: &Address, object: &Object) -> String {
        let header = format!("{}.{}", at.kind().slug().replace('-', "_"), self.key_of(at));
        let mut lines = Lines::new();
        let mut after = String::new();
        match &object.body {
            Body::Namespace {} | Body::DefaultPrivileges {} => {}
            Body::Extension(extension) => {
                put(&mut lines, "schema", extension.schema.as_ref().map(|s| string(&write_column(s))));
                put(&mut lines, "version", extension.version.as_deref().map(string));
            }
            Body::Enum { values } => put(&mut lines, "values", Some(strings(values.iter().map(String::as_str)))),
            Body::Domain(domain) => {
                put(&mut lines, "type", Some(string(self.type_name(&domain.base))));
                put(&mut lines, "not_null", domain.not_null.then(|| "true".to_owned()));
                put(&mut lines, "default", domain.default.as_ref().map(|sql| scalar(sql.as_str())));
                put(&mut lines, "collation", domain.collation.as_deref().map(string));
                after = self.domain_checks(at, &header, object, domain);
            }
            Body::Sequence(sequence) => {
                let usual = sequence.data_type == "bigint";
                put(&mut lines, "type", (!usual).then(|| string(&sequence.data_type)));
                lines.extend(numbers(&sequence.options));
                let owner = sequence.owned_by.as_ref().and_then(|at| at.relation().map(|table| (table, at.name())));
                put(
                    &mut lines,
                    "owned_by",
                    owner.map(|(table, name)| string(&format!("{}.{name}", self.path(&table)))),
                );
            }
            Body::View(view) => {
                put(&mut lines, "columns", (!view.columns.is_empty()).then(|| columns(&view.columns)));
                put(&mut lines, "options", options(&view.options));
                put(&mut lines, "query", Some(string(view.query.as_str())));
                if at.kind() == ObjectKind::MaterializedView {
                    after = self.indexes(&at.qualified(), &header);
                }
            }
            Body::Source(source) => {
                let sql = match &source.create[..] {
                    [one] => string(one.as_str()),
                    several => strings(several.iter().map(|sql| sql.as_str())),
                };
                put(&mut lines, "sql", Some(sql));
                let needs: Vec<_> = source.needs.iter().map(ToString::to_string).collect();
                put(&mut lines, "needs", (!needs.is_empty()).then(|| strings(needs.iter().map(String::as_str))));
            }
            Body::Table(_) | Body::Index(_) | Body::Opaque { .. } => return String::new(),
        }
        let mut said = Lines::new();
        put(&mut said, "comment", object.comment.as_deref().map(string));
        put(&mut said, "grants", super::grants::grants(&object.grants));
        said.append(&mut lines);
        section(&format!("[{header}]"), &said) + &after
    }

    fn domain_checks(&self, at: &Address, header: &str, object: &Object, domain: &Domain) -> String {
        let default = default_domain_check(&at.qualified(), &BTreeSet::new());
        let checks = domain.checks.iter().map(|(name, sql)| {
            let mut lines = Lines::new();
            put(&mut lines, "name", (default.as_ref() != Some(name)).then(|| string(&write_column(name))));
            put(&mut lines, "expr", Some(string(self.expression(object, sql))));
            put(&mut lines, "comment", domain.comments.get(name).map(|text| string(text)));
            section(&format!("[[{header}.checks]]"), &lines)
        });
        checks.collect()
    }
}
