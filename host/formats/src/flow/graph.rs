//! The shape of a flow (processes 5.1): every stage can be reached, branches merge or end, and do not nest too deep. That of
//! a task flow is looked at alike: its pages are stages here.
//!
//! Ways lead to later stages only, so one walk from the last stage to the first answers all of it. Stages are bits.

use model::{StageId, process::flow::Onward};

use crate::{report::Report, tree::Place};

/// A stage or page with all the places that it may lead to.
pub(crate) struct Node<'a> {
    /// Its id.
    pub id: &'a StageId,
    /// Where it may lead.
    pub ways: Vec<Onward>,
}

/// A set of stages; the last bit is the end.
type Stages = u64;
const END: usize = 63;

/// Reports what is wrong with the shape; `places` are those of the stages, `noun` what they are called, `most` how deep
/// branches may lie.
pub(crate) fn check(report: &Report<'_>, noun: &str, stages: &[Node<'_>], places: &[Place], most: usize) {
    let shape = Shape::of(stages);
    for (place, stage) in stages.iter().enumerate().skip(1) {
        if shape.reach[0] & (1 << place) == 0 {
            report.error(places[place], format!("no way leads to the {noun} `{}`", stage.id));
        }
    }
    for (place, stage) in stages.iter().enumerate() {
        if let Some(shared) = shape.torn(stage) {
            let hint = Some(format!("all ways of a branch meet in one {noun}, or each goes to the end by itself"));
            let message = format!(
                "the ways from `{}` neither meet nor end apart: `{}` is on some of them only",
                stage.id, stages[shared].id
            );
            report.error_with(places[place], message, hint);
        }
    }
    let deepest = (0..stages.len()).max_by_key(|place| shape.level(*place));
    if let Some(place) = deepest.filter(|place| shape.level(*place) > most) {
        let message =
            format!("branches lie within branches at most {most} deep, here {} (`flows.levels`)", shape.level(place));
        report.error(places[place], message);
    }
}

/// What can be reached from each stage, and where its ways meet again.
struct Shape {
    /// The stages that lie ahead of each, itself not among them; the end is.
    reach: Vec<Stages>,
    /// The first stage that every way from each goes through, or the end.
    meets: Vec<usize>,
    /// Whether several ways go from each.
    branches: Vec<bool>,
}

impl Shape {
    fn of(stages: &[Node<'_>]) -> Self {
        let count = stages.len();
        let (mut reach, mut always) = (vec![0; count + 1], vec![0 as Stages; count + 1]);
        for place in (0..count).rev() {
            always[place] = Stages::MAX;
            for way in ways(&stages[place]) {
                let own = 1 << way;
                reach[place] |= own | reach.get(way).copied().unwrap_or(0);
                always[place] &= own | always.get(way).copied().unwrap_or(0);
            }
        }
        reach.truncate(count);
        let meets = always[..count].iter().map(|all| (all.trailing_zeros() as usize).min(END)).collect();
        Self { reach, meets, branches: stages.iter().map(|stage| ways(stage).len() > 1).collect() }
    }

    /// A stage that only some of the ways from `stage` share, though they do not all meet.
    fn torn(&self, stage: &Node<'_>) -> Option<usize> {
        let ways = ways(stage);
        let ahead = |way: usize| (1 << way | self.reach.get(way).copied().unwrap_or(0)) & !(1 << END);
        if ways.iter().fold(Stages::MAX, |all, way| all & ahead(*way)) != 0 {
            return None;
        }
        let mut seen: Stages = 0;
        for way in ways {
            let shared = seen & ahead(way);
            if shared != 0 {
                return Some(shared.trailing_zeros() as usize);
            }
            seen |= ahead(way);
        }
        None
    }

    /// How many branches are open at a stage: it lies ahead of them and not behind where they meet.
    fn level(&self, place: usize) -> usize {
        let open =
            |from: &usize| self.branches[*from] && self.reach[*from] & (1 << place) != 0 && place < self.meets[*from];
        (0..place).filter(open).count()
    }
}

/// Where a stage leads, each place once.
fn ways(stage: &Node<'_>) -> Vec<usize> {
    let mut ways: Vec<usize> = Vec::new();
    for onward in &stage.ways {
        let way = match onward {
            Onward::Stage(place) => place.index(),
            Onward::End => END,
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}
