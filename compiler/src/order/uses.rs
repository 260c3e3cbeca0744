//! Which step waits for which because one makes, changes, renames, fills or removes what the other needs.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Body, ObjectKind};

use super::{
    marks::Footmarks,
    rules::{Ground, keys},
};

/// The nodes that do something with a thing.
type Nodes = BTreeMap<Address, Vec<usize>>;

/// Takes an edge: `(before, after, reason)`.
type TakeEdge<'e> = dyn FnMut(usize, usize, &'static str) + 'e;

/// Who does what with which thing.
pub(super) struct Uses<'a> {
    marks: &'a [Footmarks],
    ground: &'a Ground<'a>,
    makers: Nodes,
    removers: Nodes,
    changers: Nodes,
    disturbers: Nodes,
    recasters: Nodes,
    retypers: Nodes,
    swappers: Nodes,
    enders: Nodes,
    fillers: Nodes,
    late_fillers: Nodes,
    renamers: Nodes,
    emptiers: Nodes,
}

fn of<'n>(nodes: &'n Nodes, at: &Address) -> &'n [usize] {
    nodes.get(at).map(Vec::as_slice).unwrap_or_default()
}

impl<'a> Uses<'a> {
    pub(super) fn new(marks: &'a [Footmarks], ground: &'a Ground<'a>) -> Self {
        let by = |pick: &dyn Fn(&Footmarks) -> &BTreeSet<Address>| {
            let mut nodes = Nodes::new();
            for (i, mark) in marks.iter().enumerate() {
                for at in pick(mark) {
                    nodes.entry(at.clone()).or_default().push(i);
                }
            }
            nodes
        };
        Self {
            marks,
            ground,
            makers: by(&|m| &m.makes),
            removers: by(&|m| &m.removes),
            changers: by(&|m| &m.changes),
            disturbers: by(&|m| &m.disturbs),
            recasters: by(&|m| &m.recasts),
            retypers: by(&|m| &m.retypes),
            swappers: by(&|m| &m.swaps),
            enders: by(&|m| &m.ends),
            fillers: by(&|m| &m.fills),
            late_fillers: by(&|m| &m.late_fills),
            renamers: by(&|m| &m.renames_to),
            emptiers: by(&|m| &m.empties),
        }
    }

    /// Hands over every edge.
    pub(super) fn edges(&self, edge: &mut TakeEdge<'_>) {
        for i in 0..self.marks.len() {
            self.made_before_used(i, edge);
            self.formed_before_used(i, edge);
            self.left_before_gone(i, edge);
            self.left_before_changed(i, edge);
            self.read_in_time(i, edge);
            self.changed_under_new_names(i, edge);
        }
    }

    /// Hands over the edges that hold even where a step has drafts of the changer's own recipe in it.
    pub(super) fn edges_of_bundles(&self, edge: &mut TakeEdge<'_>) {
        for (i, mark) in self.marks.iter().enumerate() {
            for &changer in
                mark.comes_to.iter().flat_map(|at| of(&self.disturbers, at)).filter(|&&changer| changer != i)
            {
                edge(changer, i, "what comes again stands on the final form of what is new to it");
            }
        }
    }

    fn made_before_used(&self, i: usize, edge: &mut TakeEdge<'_>) {
        let mark = &self.marks[i];
        for at in mark.stands_on.iter().chain(&mark.reads) {
            for &maker in of(&self.makers, at) {
                edge(maker, i, "a thing is made before what stands on it");
            }
            for &renamer in of(&self.renamers, at) {
                edge(renamer, i, "a renamed thing is used under its new name");
            }
        }
        for table in mark.stands_on.iter().filter(|at| at.kind() == ObjectKind::Column).map(Address::holder) {
            for &renamer in of(&self.renamers, &table).iter().filter(|_| mark.renames_to.is_empty()) {
                edge(renamer, i, "a renamed thing is used under its new name");
            }
        }
        for at in &mark.outlives {
            for &remover in of(&self.removers, at) {
                edge(remover, i, "a foreign key comes when the key that it leaves is gone");
            }
        }
        for at in &mark.unreferred {
            for &before in of(&self.removers, at).iter().chain(of(&self.emptiers, at)) {
                edge(before, i, "rows leave when nothing refers to them any more");
            }
        }
    }

    fn formed_before_used(&self, i: usize, edge: &mut TakeEdge<'_>) {
        const WHY: &str = "a thing takes its final form before what stands on it is made";
        let mark = &self.marks[i];
        for at in mark.stands_on.iter().filter(|_| mark.renames_to.is_empty()) {
            for &changer in of(&self.changers, at).iter().filter(|changer| self.form_matters(i, **changer, at)) {
                edge(changer, i, WHY);
            }
        }
        for at in mark.stands_on.iter().filter(|_| mark.outright(&mark.makes).next().is_some()) {
            for &recaster in of(&self.recasters, at).iter().filter(|&&recaster| !self.passes_before(i, recaster)) {
                edge(recaster, i, WHY);
            }
        }
        for at in mark.stands_on.iter().filter(|at| !self.holds(mark, at)) {
            for &swapper in of(&self.swappers, at) {
                edge(swapper, i, WHY);
            }
            // What is exchanged on the spot comes to stand on the new form only.
            let on_this = |changer: &&usize| !self.marks[**changer].stands_on.is_disjoint(&mark.changes);
            let changers = of(&self.disturbers, at).iter().filter(|_| mark.exchanges);
            for &changer in changers.filter(|changer| !on_this(changer)) {
                edge(changer, i, WHY);
            }
        }
        // A view may read what the one below has only from now on.
        for at in mark.stands_on.iter().filter(|at| mark.exchanges && at.kind() == ObjectKind::View) {
            for &changer in of(&self.changers, at).iter().filter(|changer| self.marks[**changer].exchanges) {
                edge(changer, i, WHY);
            }
        }
        for at in &mark.takes {
            for &changer in of(&self.disturbers, at) {
                edge(changer, i, WHY);
            }
        }
        // What is made anew under its columns is so once they are gone.
        let stays = |changer: &&usize, at: &Address| !self.marks[**changer].disturbs.contains(at);
        for at in &mark.writes_out {
            for &changer in of(&self.changers, at).iter().filter(|changer| stays(changer, at)) {
                edge(changer, i, "a type takes its final form before its values are kept as they read");
            }
        }
        for at in &mark.awaits {
            for &changer in of(&self.changers, at) {
                edge(changer, i, "columns go over to a type before it takes the name of their old one");
            }
        }
    }

    /// Whether all that a node makes is a view that serves an old name, and has gone again when another node's phase comes.
    fn passes_before(&self, i: usize, other: usize) -> bool {
        let (mark, ground) = (&self.marks[i], self.ground);
        let mut made = mark.outright(&mark.makes).filter(|at| !mark.renames_to.contains(at)).peekable();
        let passing = |at: &Address| at.kind() == ObjectKind::View && !ground.goal.contains(at);
        made.peek().is_some() && made.all(passing) && mark.phase < self.marks[other].phase
    }

    /// Whether something that a node changes is built on a thing by the database's own word.
    fn holds(&self, mark: &Footmarks, at: &Address) -> bool {
        mark.changes.iter().filter_map(|of| self.ground.depends.get(of)).any(|needs| needs.contains(at))
    }

    /// Whether something made is dropped again by the plan, and the engine changes it with what it stands on meanwhile: a hidden column with
    /// its table, an index or a proof with that and its columns.
    fn passes(&self, made: &Address, on: &Address) -> bool {
        let goes_along = match made.kind() {
            ObjectKind::Column => on.kind() == ObjectKind::Table,
            ObjectKind::Index | ObjectKind::Constraint => matches!(on.kind(), ObjectKind::Table | ObjectKind::Column),
            _ => false,
        };
        // What is built beside an index to take over its name is renamed, which is no end.
        let ends = |i: &usize| made.kind() != ObjectKind::Index || self.marks[*i].renames_to.is_empty();
        goes_along && !self.ground.goal.contains(made) && of(&self.removers, made).iter().any(ends)
    }

    /// Whether what a node makes or fills waits for a change of something that it stands on.
    fn form_matters(&self, i: usize, changer: usize, at: &Address) -> bool {
        let (mark, change) = (&self.marks[i], &self.marks[changer]);
        // A change that itself needs what is made here (a sequence that becomes a new column's own) comes after.
        let needs_this = change.stands_on.iter().any(|at| mark.makes.contains(at))
            || change.closes.iter().any(|table| mark.works_on.contains(table));
        // Where columns go over to a type, its form is the waiting one's until it is there.
        let mut awaited = change.awaits.iter().filter_map(Address::relation);
        let goes_over = awaited.any(|table| mark.works_on.contains(&table));
        let makes = mark.outright(&mark.makes).any(|made| !change.removes.contains(made) && !self.passes(made, at));
        !needs_this && !goes_over && (makes || !mark.fills.is_empty())
    }

    fn left_before_gone(&self, i: usize, edge: &mut TakeEdge<'_>) {
        let mark = &self.marks[i];
        for at in mark.lets_go.iter().filter(|at| !self.is_over(at, mark)) {
            // A key that goes on under another name is not gone.
            let is_key = |at: &Address| at.kind() == ObjectKind::Constraint;
            let stays = |remover: &&usize| is_key(at) && self.marks[**remover].renames_to.iter().any(is_key);
            for &remover in of(&self.removers, at).iter().filter(|remover| !stays(remover)) {
                edge(i, remover, "a thing goes only when nothing stands on it");
            }
            for &swapper in of(&self.swappers, at).iter().filter(|_| !mark.stands_on.contains(at)) {
                edge(i, swapper, "what stands on a thing goes before another takes its place");
            }
        }
    }

    fn left_before_changed(&self, i: usize, edge: &mut TakeEdge<'_>) {
        const WHY: &str = "what stands on a thing goes before the thing changes";
        let mark = &self.marks[i];
        // What a step before has made for a while came after the change already.
        if mark.outright(&mark.removes).any(|at| self.ground.live.contains(at)) {
            // A change that lets go of what is removed here (a sequence that leaves its column) comes first.
            let frees = |changer: &&usize| !self.marks[**changer].lets_go.iter().any(|at| mark.removes.contains(at));
            for at in mark.lets_go.iter().filter(|at| !self.is_over(at, mark)) {
                for &changer in of(&self.disturbers, at).iter().filter(frees) {
                    edge(i, changer, WHY);
                }
            }
        }
        for at in &mark.frees {
            for &changer in of(&self.disturbers, at) {
                edge(i, changer, WHY);
            }
        }
        // A view that goes and comes again goes before one that it is made from changes; and so does one that goes by then anyway.
        let view = |at: &Address| at.kind() == ObjectKind::View;
        let again = mark.outright(&mark.removes).any(|at| view(at) && self.makers.contains_key(at));
        if again || mark.outright(&mark.removes).any(view) {
            for at in mark.lets_go.iter().filter(|at| view(at)) {
                let changers = of(&self.changers, at).iter();
                for &changer in changers.filter(|changer| again || mark.phase <= self.marks[**changer].phase) {
                    edge(i, changer, "what stands on a view goes before the view changes");
                }
            }
        }
    }

    fn read_in_time(&self, i: usize, edge: &mut TakeEdge<'_>) {
        let mark = &self.marks[i];
        for at in &mark.fills {
            for &recaster in of(&self.recasters, at) {
                edge(i, recaster, "values move before their type changes");
            }
        }
        for at in &mark.reads_served {
            for &ender in of(&self.enders, at) {
                edge(i, ender, "values are read before their source goes");
            }
        }
        for at in &mark.reads {
            for &remover in of(&self.removers, at) {
                edge(i, remover, "values are read before their source goes");
            }
            for &retyper in of(&self.retypers, at) {
                edge(i, retyper, "values are read before they become others");
            }
            let late = of(&self.late_fillers, at).iter().filter(|_| !mark.late_fills.is_empty());
            for &filler in of(&self.fillers, at).iter().chain(late) {
                edge(filler, i, "a value is set before it is read");
            }
        }
    }

    fn changed_under_new_names(&self, i: usize, edge: &mut TakeEdge<'_>) {
        let mark = &self.marks[i];
        for &renamer in mark.names.iter().flat_map(|at| of(&self.renamers, at)) {
            edge(renamer, i, "a renamed thing is used under its new name");
        }
        let untied = mark.outright(&mark.removes).any(|at| at.kind() == ObjectKind::Constraint);
        let said = |at: &&Address| matches!(at.kind(), ObjectKind::Table | ObjectKind::Column);
        for at in mark.lets_go.iter().filter(said).filter(|_| untied && mark.renames_to.is_empty()) {
            for &renamer in of(&self.renamers, at) {
                edge(renamer, i, "a constraint goes when what it ties has its new name");
            }
        }
        for at in mark.changes.iter().chain(&mark.makes).chain(&mark.removes) {
            let of_index = self.renames_under_index(at);
            let renamers = of(&self.renamers, &at.holder()).iter().chain(of(&self.renamers, at)).chain(of_index);
            // A declared rename comes first; what was made beside takes the name over from that.
            let declared =
                mark.renames_to.contains(at) && !mark.removes.iter().any(|from| self.makers.contains_key(from));
            for &renamer in renamers.filter(|_| !declared) {
                if !mark.renames_to.contains(at) || renamer != i {
                    edge(renamer, i, "a renamed thing is changed under its new name");
                }
            }
        }
    }

    /// Who renames what an index is of, or a column of that: the index has another text by then, and on some engines another address.
    fn renames_under_index(&self, at: &Address) -> impl Iterator<Item = &usize> {
        let table = match self.ground.live.objects.get(at).map(|object| &object.body) {
            Some(Body::Index(index)) => Some(index.table.clone()),
            _ => None,
        };
        let concerned = move |renamed: &Address| {
            let whole = matches!(renamed.kind(), ObjectKind::Table | ObjectKind::MaterializedView);
            let column = renamed.kind() == ObjectKind::Column;
            table.as_ref().is_some_and(|table| {
                whole && renamed.qualified() == *table || column && renamed.relation().as_ref() == Some(table)
            })
        };
        self.renamers.iter().filter(move |(renamed, _)| concerned(renamed)).flat_map(|(_, nodes)| nodes)
    }

    /// Whether something is an index over a key that goes, of which that key's own is a share: there the whole goes first.
    fn is_over(&self, at: &Address, mark: &Footmarks) -> bool {
        let body = self.ground.live.objects.get(at).map(|object| &object.body);
        let Some(Body::Index(index)) = body else { return false };
        let mut tables = keys(&mark.removes, mark).filter_map(Address::relation);
        tables.any(|table| self.ground.above(&table).contains(&index.table))
    }
}
