//! Grants as a person writes them: one text for each role, and what it may do.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Grant, GrantRule, Name};

use super::text::strings;

/// What a role may do: the columns of each privilege, or `None` for the whole.
type Privileges<'a> = BTreeMap<&'a str, Vec<Option<&'a Name>>>;

/// The list of grants; `None` if there are none.
pub(super) fn grants(all: &BTreeSet<Grant>) -> Option<String> {
    let mut by_role: BTreeMap<(&str, GrantRule), Privileges<'_>> = BTreeMap::new();
    for grant in all {
        let privileges = by_role.entry((&grant.to, grant.rule)).or_default();
        privileges.entry(&grant.privilege).or_default().push(grant.column.as_ref());
    }
    let texts: Vec<String> = by_role.iter().map(|((role, rule), privileges)| line(role, *rule, privileges)).collect();
    (!texts.is_empty()).then(|| strings(texts.iter().map(String::as_str)))
}

fn line(role: &str, rule: GrantRule, privileges: &Privileges<'_>) -> String {
    let mut said = Vec::new();
    for (privilege, columns) in privileges {
        if columns.contains(&None) {
            said.push((*privilege).to_owned());
        }
        let named: Vec<_> = columns.iter().flatten().map(ToString::to_string).collect();
        if !named.is_empty() {
            said.push(format!("{privilege} ({})", named.join(", ")));
        }
    }
    let said = said.join(", ");
    let role = Name::new(role).map_or_else(|_| role.to_owned(), |name| name.to_string());
    match rule {
        GrantRule::Revoked => format!("revoke {said} from {role}"),
        GrantRule::Granted => format!("{said} to {role}"),
        GrantRule::WithGrantOption => format!("{said} to {role} with grant option"),
    }
}
