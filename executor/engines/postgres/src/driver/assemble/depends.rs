//! What each object needs to exist.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mig_plan::{Address, ObjectKind};

use super::{Place, class};

/// How often one catalog row may stand for another: a default for a column, an array type for its element, that for a table.
const MOST_LINKS: usize = 4;

/// The edges between what was pulled, columns and constraints included.
pub(in super::super) fn dependencies(
    places: &HashMap<Place, Address>,
    links: &str,
    depends: &str,
) -> BTreeMap<Address, BTreeSet<Address>> {
    let links: HashMap<(u32, u32), Place> = links
        .lines()
        .filter_map(numbers::<5>)
        .map(|[class, oid, to_class, to, sub]| ((class, oid), (to_class, to, sub as i32)))
        .collect();
    let find = |place: Place| find(place, places, &links);
    let mut out: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for [class, oid, sub, to_class, to, to_sub] in depends.lines().filter_map(numbers::<6>) {
        let (Some(of), Some(needs)) = (find((class, oid, sub as i32)), find((to_class, to, to_sub as i32))) else {
            continue;
        };
        if of != needs && !within(of, needs) {
            out.entry(of.clone()).or_default().insert(needs.clone());
        }
    }
    out
}

/// Whether `of` is a column or constraint of the table `needs`, or the other way round. What a table needs for its own place is no
/// matter of its parts.
fn within(of: &Address, needs: &Address) -> bool {
    let member = |at: &Address| matches!(at.kind(), ObjectKind::Column | ObjectKind::Constraint);
    (member(of) && (of.holder() == *needs || needs.kind() == ObjectKind::Namespace))
        || (member(needs) && needs.holder() == *of)
}

fn find<'a>(
    place: Place,
    places: &'a HashMap<Place, Address>,
    links: &HashMap<(u32, u32), Place>,
) -> Option<&'a Address> {
    let mut place = place;
    for _ in 0..MOST_LINKS {
        let (class, oid, sub) = place;
        // A column of a view or of a composite type has no address of its own.
        if let Some(at) = places.get(&place).or_else(|| places.get(&(class, oid, 0))) {
            return Some(at);
        }
        place = *links.get(&(class, oid))?;
        if sub != 0 && place.0 == class::CLASS && place.2 == 0 {
            place.2 = sub;
        }
    }
    None
}

/// A line of numbers.
fn numbers<const N: usize>(line: &str) -> Option<[u32; N]> {
    let mut out = [0; N];
    let mut parts = line.split(' ');
    for number in &mut out {
        *number = parts.next()?.parse().ok()?;
    }
    Some(out)
}
