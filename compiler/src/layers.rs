//! The view that serves a renamed table under its old name, where a column of the table changes places with its hidden twin: a view holds
//! on to the column that it was made over, so it goes and comes again in that transaction, and shows the new one.

use mig_plan::{
    Draft, Kind, ObjectKind, Qualified, Schema,
    kind::{Create, Drop},
};

use crate::{order::Node, together::Ordered};

/// The mark of nodes that had none.
const MARK: &str = "layer";

/// Puts the going and coming of the views around the exchanges that they would not follow.
pub(crate) fn follow(ordered: &mut Ordered, goal: &Schema) {
    let order: Vec<usize> = ordered.sorted.iter().map(|(node, _)| *node).collect();
    let nodes = &mut ordered.nodes;
    for (place, &of) in order.iter().enumerate() {
        let Some((table, create)) = layer(&nodes[of], goal) else { continue };
        let behind = order.iter().skip(place + 1);
        let there: Vec<usize> = behind.copied().take_while(|node| !ends(&nodes[*node], &create)).collect();
        for node in there {
            if nodes[node].drafts.iter().any(|d| matches!(&d.change, Kind::Exchange(k) if k.twins.table == table)) {
                around(&mut nodes[node], &create);
            }
        }
    }
}

fn ends(node: &Node, layer: &Create) -> bool {
    node.drafts.iter().any(|draft| matches!(&draft.change, Kind::Drop(k) if k.at == layer.at))
}

/// The table that a node renames, and the view that serves its old name from then on.
fn layer(node: &Node, goal: &Schema) -> Option<(Qualified, Create)> {
    let table = node.drafts.iter().find_map(|draft| match &draft.change {
        Kind::Rename(k) if k.to.kind() == ObjectKind::Table => Some(k.to.qualified()),
        _ => None,
    })?;
    let view = node.drafts.iter().find_map(|draft| match &draft.change {
        Kind::Create(k) if k.at.kind() == ObjectKind::View && !goal.contains(&k.at) => Some(k.clone()),
        _ => None,
    })?;
    Some((table, view))
}

fn around(node: &mut Node, create: &Create) {
    let mark = node.drafts.iter().find_map(|draft| draft.atomic.clone()).unwrap_or_else(|| MARK.to_owned());
    let phase = node.phase();
    let goes = Drop::new(create.at.clone(), create.object.clone());
    let goes = Draft::new(goes, phase, format!("makes way for the new columns of {}", create.at));
    let comes = Draft::new(create.clone(), phase, format!("makes {} again over the new columns", create.at));
    let drafts = std::mem::take(&mut node.drafts).into_iter();
    let all = [goes].into_iter().chain(drafts).chain([comes]);
    node.drafts = all.map(|draft| draft.together(&mark)).collect();
}
