//! How many different people signed: each counted signer has a key of its own and a principal of its own.

use std::collections::BTreeSet;

use super::pattern::PatternList;

/// A key that signed, and whom it may stand for: one list for each line that allows it.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) file: String,
    pub(crate) fingerprint: String,
    pub(crate) names: Vec<PatternList>,
}

/// A candidate that counts (its place in the input), under one of its names (its place among them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) candidate: usize,
    pub(crate) name: usize,
}

/// How many choices are tried. Far above what real teams need; beyond it the count may be too low, never too high.
const EFFORT: usize = 100_000;

/// The largest set of signers of whom no two share a key or could share a principal. The search stops at `enough`, then takes
/// in whoever else fits.
pub(crate) fn choose(candidates: &[Candidate], enough: usize) -> Vec<Pick> {
    // A file can be copied any number of times: the search is as deep as there are keys, not files.
    let mut keys = BTreeSet::new();
    let order: Vec<_> = (0..candidates.len()).filter(|&at| keys.insert(&candidates[at].fingerprint)).collect();
    let mut search = Search { candidates, order: &order, enough, best: Vec::new(), effort: EFFORT };
    search.from(0, &mut Vec::new());
    let mut best = search.best;
    for (candidate, name) in places(candidates) {
        let pick = Pick { candidate, name };
        if best.iter().all(|other| fits(candidates, pick, *other)) {
            best.push(pick);
        }
    }
    best.sort_by_key(|pick| pick.candidate);
    best
}

fn places(candidates: &[Candidate]) -> impl Iterator<Item = (usize, usize)> {
    candidates.iter().enumerate().flat_map(|(at, candidate)| (0..candidate.names.len()).map(move |name| (at, name)))
}

/// Whether two picks are different people with different keys.
pub(crate) fn fits(candidates: &[Candidate], a: Pick, b: Pick) -> bool {
    let (first, second) = (&candidates[a.candidate], &candidates[b.candidate]);
    first.fingerprint != second.fingerprint && !first.names[a.name].meets(&second.names[b.name])
}

struct Search<'a> {
    candidates: &'a [Candidate],
    order: &'a [usize],
    enough: usize,
    best: Vec<Pick>,
    effort: usize,
}

impl Search<'_> {
    fn from(&mut self, at: usize, chosen: &mut Vec<Pick>) {
        if chosen.len() > self.best.len() {
            self.best.clone_from(chosen);
        }
        let left = self.order.len() - at;
        if self.best.len() >= self.enough || chosen.len() + left <= self.best.len() || self.effort == 0 {
            return;
        }
        self.effort -= 1;
        let candidate = self.order[at];
        for name in 0..self.candidates[candidate].names.len() {
            let pick = Pick { candidate, name };
            if chosen.iter().all(|other| fits(self.candidates, pick, *other)) {
                chosen.push(pick);
                self.from(at + 1, chosen);
                chosen.pop();
            }
        }
        self.from(at + 1, chosen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(signers: &[(&str, &[&str])]) -> usize {
        let candidates: Vec<_> = signers
            .iter()
            .map(|(key, names)| Candidate {
                file: String::new(),
                fingerprint: (*key).to_owned(),
                names: names.iter().map(|name| PatternList::parse(name).unwrap()).collect(),
            })
            .collect();
        choose(&candidates, 10).len()
    }

    #[test]
    fn distinct_means_another_principal_and_another_key() {
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[("k1", &["alice"]), ("k2", &["bob"])]), 2);
        assert_eq!(count(&[("k1", &["alice"]), ("k2", &["alice"])]), 1, "one person, two keys");
        assert_eq!(count(&[("k1", &["alice"]), ("k1", &["bob"])]), 1, "one key, two names");
        assert_eq!(count(&[("k1", &["alice,al"]), ("k2", &["al,ally"])]), 1, "names of one line are one person");
        assert_eq!(count(&[("k1", &["*"]), ("k2", &["bob"])]), 1, "anybody could be bob");
    }

    #[test]
    fn the_largest_set_is_found() {
        assert_eq!(count(&[("k1", &["alice", "bob"]), ("k2", &["alice"]), ("k3", &["carol", "bob"])]), 3);
        assert_eq!(count(&[("k1", &["*@x"]), ("k2", &["a@x"]), ("k3", &["b@x"]), ("k4", &["c@x"])]), 3);
    }

    #[test]
    fn many_signers_under_one_name_end_soon() {
        let keys: Vec<String> = (0..200).map(|n| format!("k{n}")).collect();
        let all: Vec<(&str, &[&str])> = keys.iter().map(|key| (key.as_str(), &["*"] as &[&str])).collect();
        assert_eq!(count(&all), 1);
        let copies = vec![("k", &["alice"] as &[&str]); 20_000];
        assert_eq!(count(&copies), 1);
    }
}
