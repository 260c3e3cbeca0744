//! The objects of a schema, found by address, by name, by table and by kind.

use std::{
    collections::{BTreeMap, btree_map},
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Body, Object},
};

/// Objects by address. It reads and changes as the map that it is; what it also answers, by name and by table, takes the time of a
/// look-up, not of a walk: a schema has ten thousands of objects, and each of them asks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Objects {
    map: BTreeMap<Address, Arc<Object>>,
    /// Made when first asked for, kept up by [`Objects::insert`] and [`Objects::remove`], forgotten at any other change.
    #[serde(skip)]
    finder: OnceLock<Arc<Finder>>,
}

/// Where to look.
#[derive(Clone, Debug, Default)]
struct Finder {
    /// Addresses by their last name.
    named: BTreeMap<Name, Vec<Address>>,
    /// Indexes by their table.
    indexes: BTreeMap<Qualified, Vec<Address>>,
}

impl Finder {
    fn of(map: &BTreeMap<Address, Arc<Object>>) -> Self {
        let mut finder = Self::default();
        for (at, object) in map {
            finder.named.entry(at.name().clone()).or_default().push(at.clone());
            if let Body::Index(index) = &object.body {
                finder.indexes.entry(index.table.clone()).or_default().push(at.clone());
            }
        }
        finder
    }

    fn add(&mut self, at: &Address, object: &Object) {
        put(self.named.entry(at.name().clone()).or_default(), at);
        if let Body::Index(index) = &object.body {
            put(self.indexes.entry(index.table.clone()).or_default(), at);
        }
    }

    fn take(&mut self, at: &Address, object: &Object) {
        if let Some(found) = self.named.get_mut(at.name()) {
            found.retain(|other| other != at);
        }
        if let Body::Index(index) = &object.body
            && let Some(found) = self.indexes.get_mut(&index.table)
        {
            found.retain(|other| other != at);
        }
    }
}

/// Lists stay sorted, as the map is.
fn put(into: &mut Vec<Address>, at: &Address) {
    if let Err(place) = into.binary_search(at) {
        into.insert(place, at.clone());
    }
}

impl Objects {
    fn finder(&self) -> &Finder {
        self.finder.get_or_init(|| Arc::new(Finder::of(&self.map)))
    }

    /// The addresses whose last name this is, sorted.
    #[must_use]
    pub fn named(&self, name: &str) -> &[Address] {
        self.finder().named.get(name).map_or(&[], Vec::as_slice)
    }

    /// The addresses of a table's indexes, sorted.
    #[must_use]
    pub fn indexes_of(&self, table: &Qualified) -> &[Address] {
        self.finder().indexes.get(table).map_or(&[], Vec::as_slice)
    }

    /// The objects of one kind.
    pub fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = (&Address, &Arc<Object>)> {
        self.map.range(Address::before_all(kind)..).take_while(move |(at, _)| at.kind() == kind)
    }

    /// Puts an object at an address; gives what was there.
    pub fn insert(&mut self, at: Address, object: Arc<Object>) -> Option<Arc<Object>> {
        if let Some(finder) = self.finder.get_mut() {
            let finder = Arc::make_mut(finder);
            if let Some(was) = self.map.get(&at) {
                finder.take(&at, was);
            }
            finder.add(&at, &object);
        }
        self.map.insert(at, object)
    }

    /// Takes the object at an address away.
    pub fn remove(&mut self, at: &Address) -> Option<Arc<Object>> {
        let was = self.map.remove(at)?;
        if let Some(finder) = self.finder.get_mut() {
            Arc::make_mut(finder).take(at, &was);
        }
        Some(was)
    }

    /// The object at an address, to change it.
    pub fn get_mut(&mut self, at: &Address) -> Option<&mut Arc<Object>> {
        // Of what the finder knows, only the table of an index can change in place.
        if at.kind() == ObjectKind::Index {
            self.finder.take();
        }
        self.map.get_mut(at)
    }
}

impl PartialEq for Objects {
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl Eq for Objects {}

impl Deref for Objects {
    type Target = BTreeMap<Address, Arc<Object>>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl DerefMut for Objects {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.finder.take();
        &mut self.map
    }
}

impl From<BTreeMap<Address, Arc<Object>>> for Objects {
    fn from(map: BTreeMap<Address, Arc<Object>>) -> Self {
        Self { map, finder: OnceLock::new() }
    }
}

impl<const N: usize> From<[(Address, Arc<Object>); N]> for Objects {
    fn from(objects: [(Address, Arc<Object>); N]) -> Self {
        BTreeMap::from(objects).into()
    }
}

impl FromIterator<(Address, Arc<Object>)> for Objects {
    fn from_iter<I: IntoIterator<Item = (Address, Arc<Object>)>>(objects: I) -> Self {
        BTreeMap::from_iter(objects).into()
    }
}

impl IntoIterator for Objects {
    type Item = (Address, Arc<Object>);
    type IntoIter = btree_map::IntoIter<Address, Arc<Object>>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.into_iter()
    }
}

impl<'a> IntoIterator for &'a Objects {
    type Item = (&'a Address, &'a Arc<Object>);
    type IntoIter = btree_map::Iter<'a, Address, Arc<Object>>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.iter()
    }
}

impl<'a> IntoIterator for &'a mut Objects {
    type Item = (&'a Address, &'a mut Arc<Object>);
    type IntoIter = btree_map::IterMut<'a, Address, Arc<Object>>;

    fn into_iter(self) -> Self::IntoIter {
        self.finder.take();
        self.map.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Index, Validity};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn index(on: &str) -> Arc<Object> {
        let index = Index {
            table: Qualified::new(None, name(on)),
            unique: false,
            method: None,
            parts: Vec::new(),
            include: Vec::new(),
            predicate: None,
            nulls_not_distinct: false,
            options: BTreeMap::new(),
            validity: Validity::default(),
        };
        Object::new(Body::Index(index)).into()
    }

    #[test]
    fn look_ups_follow_every_change() {
        let at = |text: &str| Address::index(&Qualified::new(None, name(text)));
        let on = |text: &str| Qualified::new(None, name(text));
        let mut objects = Objects::from([(at("a"), index("t"))]);
        assert_eq!(objects.indexes_of(&on("t")), [at("a")]);
        objects.insert(at("b"), index("t"));
        let copy = objects.clone();
        objects.insert(at("a"), index("u"));
        assert_eq!((objects.indexes_of(&on("t")), objects.indexes_of(&on("u"))), (&[at("b")][..], &[at("a")][..]));
        objects.remove(&at("b"));
        assert!(objects.indexes_of(&on("t")).is_empty() && objects.named("b").is_empty());
        *objects.get_mut(&at("a")).unwrap() = index("t");
        assert_eq!(objects.indexes_of(&on("t")), [at("a")]);
        objects.retain(|_, _| false);
        assert!(objects.named("a").is_empty());
        assert_eq!(copy.indexes_of(&on("t")), [at("a"), at("b")]);
        assert_eq!(copy.of_kind(ObjectKind::Index).count(), 2);
        assert_eq!(copy.of_kind(ObjectKind::Table).count(), 0);
    }
}
