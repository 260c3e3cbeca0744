//! The graph of a plan, laid out here and drawn as SVG: phases from left to right, in each the steps that wait for others to the right
//! of those.

use std::collections::BTreeMap;

use mig_plan::{Phase, Plan};

use super::{
    super::graph::{Graph, label},
    escape, text,
};

/// A box: width and height.
const BOX: (usize, usize) = (176, 38);
/// What is free between boxes, across and down.
const GAP: (usize, usize) = (52, 12);
/// What is free around them, with room for the names of the phases above.
const MARGIN: (usize, usize) = (16, 40);
/// Characters of a box's text.
const ROOM: usize = 24;

/// Where the boxes are.
struct Layout {
    /// Column and row of each step.
    cells: Vec<(usize, usize)>,
    columns: usize,
    rows: usize,
    /// The first column of each phase that has steps, with the column after its last.
    bands: Vec<(Phase, usize, usize)>,
}

impl Layout {
    fn of(plan: &Plan, graph: &Graph) -> Self {
        // How deep a step is within its phase.
        let mut depth = vec![0_usize; plan.steps.len()];
        for (from, to) in &graph.arrows {
            if plan.steps[*from].phase == plan.steps[*to].phase {
                depth[*to] = depth[*to].max(depth[*from] + 1);
            }
        }
        let mut layers: BTreeMap<(Phase, usize), Vec<usize>> = BTreeMap::new();
        for (i, step) in plan.steps.iter().enumerate() {
            layers.entry((step.phase, depth[i])).or_default().push(i);
        }
        let most = tallest(plan.steps.len());
        let mut layout = Self { cells: vec![(0, 0); plan.steps.len()], columns: 0, rows: 0, bands: Vec::new() };
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); plan.steps.len()];
        graph.arrows.iter().for_each(|(from, to)| before[*to].push(*from));
        for ((phase, _), mut steps) in layers {
            // A step stands about where those stand that it waits for, so that arrows cross seldom.
            steps.sort_by_key(|i| {
                let rows = before[*i].iter().map(|from| layout.cells[*from].1);
                let middle = (rows.sum::<usize>() * 2).checked_div(before[*i].len());
                (middle.unwrap_or(usize::MAX), *i)
            });
            let first = layout.columns;
            for (at, i) in steps.iter().enumerate() {
                layout.cells[*i] = (first + at / most, at % most);
            }
            layout.columns = first + steps.len().div_ceil(most);
            layout.rows = layout.rows.max(steps.len().min(most));
            match layout.bands.last_mut() {
                Some((last, _, end)) if *last == phase => *end = layout.columns,
                _ => layout.bands.push((phase, first, layout.columns)),
            }
        }
        layout
    }

    fn corner(&self, step: usize) -> (usize, usize) {
        let (column, row) = self.cells[step];
        (MARGIN.0 + column * (BOX.0 + GAP.0), MARGIN.1 + row * (BOX.1 + GAP.1))
    }

    fn size(&self) -> (usize, usize) {
        let across = self.columns * (BOX.0 + GAP.0) - GAP.0;
        (2 * MARGIN.0 + across, MARGIN.1 + self.rows * (BOX.1 + GAP.1) + MARGIN.0)
    }
}

/// How many boxes may stand above one another, so that the whole is about twice as wide as high.
fn tallest(steps: usize) -> usize {
    let square = (steps * (BOX.0 + GAP.0)).div_ceil(2 * (BOX.1 + GAP.1));
    square.isqrt().max(12)
}

/// The section with the graph; empty if there are no steps.
pub(super) fn section(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let graph = Graph::of(plan);
    let layout = Layout::of(plan, &graph);
    let (width, height) = layout.size();
    let mut svg = String::new();
    for (n, (phase, first, end)) in layout.bands.iter().enumerate() {
        let x = MARGIN.0 + first * (BOX.0 + GAP.0) - GAP.0.min(2 * MARGIN.0) / 2;
        let across = (end - first) * (BOX.0 + GAP.0) - GAP.0 + GAP.0.min(2 * MARGIN.0);
        svg.push_str(&format!(
            "<g class=\"band b{}\"><rect x=\"{x}\" y=\"0\" width=\"{across}\" height=\"{height}\"/>\
             <text x=\"{}\" y=\"24\">{phase}</text></g>\n",
            n % 2,
            x + 16
        ));
    }
    for (from, to) in &graph.arrows {
        svg.push_str(&arrow(&layout, *from, *to));
    }
    for i in 0..plan.steps.len() {
        svg.push_str(&node(plan, &layout, i));
    }
    let arrows = graph.arrows.len();
    format!(
        "<section id=\"graph\">\n<h2>Order</h2>\n<p>{}, {arrows} arrows: a step waits for those that point at it. \
         Arrows that others imply are not drawn.</p>\n\
         <div class=\"tools\" hidden><button type=\"button\" data-zoom=\"out\" aria-label=\"smaller\">&minus;</button>\
         <button type=\"button\" data-zoom=\"in\" aria-label=\"larger\">+</button>\
         <button type=\"button\" data-zoom=\"fit\">whole</button><button type=\"button\" data-zoom=\"one\">1:1</button></div>\n\
         <div class=\"canvas\" tabindex=\"0\" role=\"region\" aria-label=\"graph of the steps\">\n\
         <svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n{svg}</svg>\n</div>\n</section>\n",
        if plan.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", plan.steps.len()) }
    )
}

/// An arrow to the next column is a curve; a longer one runs between two rows, where there are no boxes.
fn arrow(layout: &Layout, from: usize, to: usize) -> String {
    let ((x1, y1), (x2, y2)) = (layout.corner(from), layout.corner(to));
    let (x1, y1, y2) = (x1 + BOX.0, y1 + BOX.1 / 2, y2 + BOX.1 / 2);
    let bend = GAP.0 / 2;
    let path = if x2 <= x1 + GAP.0 {
        format!("C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2.saturating_sub(bend))
    } else {
        let between = if y2 < y1 { y1 - (BOX.1 + GAP.1) / 2 } else { y1 + (BOX.1 + GAP.1) / 2 };
        let (leave, arrive) = (x1 + bend, x2 - bend);
        format!(
            "C{leave} {y1} {x1} {between} {leave} {between}H{}C{x2} {between} {arrive} {y2} {x2} {y2}",
            arrive - GAP.0 / 4
        )
    };
    let (from, to) = (from + 1, to + 1);
    format!(
        "<path class=\"arrow\" data-from=\"{from}\" data-to=\"{to}\" marker-end=\"url(#tip)\" d=\"M{x1} {y1}{path}\"/>\n"
    )
}

fn node(plan: &Plan, layout: &Layout, i: usize) -> String {
    let step = &plan.steps[i];
    let (x, y) = layout.corner(i);
    let (does, what) = label(step, ROOM);
    // One of them takes the focus; from there the arrow keys lead on.
    let tab = if i == 0 { 0 } else { -1 };
    format!(
        "<a class=\"node {}\" href=\"#step-{}\" data-step=\"{}\" tabindex=\"{tab}\"><title>{}: {}</title>\
         <rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\"/><text x=\"{}\" y=\"{}\">{} {}</text>\
         <text class=\"what\" x=\"{}\" y=\"{}\">{}</text></a>\n",
        step.class,
        i + 1,
        i + 1,
        text(&step.id.0),
        text(&step.why),
        BOX.0,
        BOX.1,
        x + 10,
        y + 16,
        i + 1,
        escape(&does),
        x + 10,
        y + 31,
        escape(&what)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::super::{graph::Graph, sample},
        *,
    };

    #[test]
    fn no_box_lies_on_another_and_arrows_lead_to_the_right() {
        for (steps, tables) in [(3, 1), (200, 9), (2_000, 40), (2_000, 2_000)] {
            let plan = sample::large(steps, tables);
            let graph = Graph::of(&plan);
            let layout = Layout::of(&plan, &graph);
            assert_eq!(layout.cells.iter().collect::<BTreeSet<_>>().len(), steps);
            assert!(graph.arrows.iter().all(|(from, to)| layout.cells[*from].0 < layout.cells[*to].0));
            let (width, height) = layout.size();
            assert!(steps < 100 || width < 60 * height, "{width} x {height}");
        }
    }
}
