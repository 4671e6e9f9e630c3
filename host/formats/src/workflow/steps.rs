//! Lists of steps: which kind each is, its identity, and which results may be read after it.
//!
//! A result may be read where every way has passed its step (formats 2), so each branch has a scope of its own, and
//! after a branch only that is known which all its ways know that go on.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use model::{
    StepId, ValueType,
    argument::ArgumentKind,
    expression::ValueSource,
    process::workflow::{Slot, Step, StepAction, StopOutcome},
    schema::Entity,
};
use smol_str::SmolStr;

use super::{ROOTS, call, check, custom, email, failing, find, flow, loops::Own, record, wait, words};
use crate::{
    condition,
    fields::{Fields, Keys},
    nearest,
    report::Report,
    scope::{Root, Scope},
    tree::{Entry, Kind, Node, Place},
    value::{self, Wanted},
};

/// The keys of every step come first, those for failing last.
macro_rules! step_keys {
    ($($key:literal),*) => { &["id", "title", "description", $($key),*, "retry", "on-error"] };
}

const STAGE: Keys = Keys { what: "a stage", known: &["id", "title", "description", "stage", "steps"], later: &[] };
const IF: Keys =
    Keys { what: "an `if` step", known: step_keys!["if", "then", "otherwise-if", "otherwise"], later: &[] };
const BRANCH: Keys = Keys { what: "an `otherwise-if` branch", known: &["if", "then"], later: &[] };
const WAIT: Keys = Keys { what: "a `wait` step", known: step_keys!["wait", "otherwise"], later: &[] };
const CREATE: Keys = Keys { what: "a `create` step", known: step_keys!["create", "set", "flow"], later: &[] };
const UPDATE: Keys = Keys {
    what: "an `update` step",
    known: step_keys!["update", "set", "append", "increment", "decrement", "multiply", "clear"],
    later: &[],
};
const ASSIGN: Keys = Keys { what: "an `assign` step", known: step_keys!["assign", "to"], later: &[] };
const CHANGE_STATUS: Keys =
    Keys { what: "a `change-status` step", known: step_keys!["change-status", "to"], later: &[] };
const DELETE: Keys = Keys { what: "a `delete` step", known: step_keys!["delete"], later: &[] };
const SHARE: Keys = Keys { what: "a `share` step", known: step_keys!["share", "with", "rights"], later: &[] };
const UNSHARE: Keys = Keys { what: "an `unshare` step", known: step_keys!["unshare", "with"], later: &[] };
const EMAIL: Keys = Keys {
    what: "an `email` step",
    known: step_keys!["email", "from", "to", "cc", "bcc", "subject", "body", "regarding"],
    later: &[],
};
const ASSIGN_VALUE: Keys = Keys { what: "an `assign-value` step", known: step_keys!["assign-value"], later: &[] };
const CUSTOM: Keys = Keys { what: "a `custom` step", known: step_keys!["custom", "version", "inputs"], later: &[] };
const ACTION: Keys = Keys { what: "an `action` step", known: step_keys!["action", "target", "inputs"], later: &[] };
const START_CHILD: Keys =
    Keys { what: "a `start-child` step", known: step_keys!["start-child", "record", "inputs", "wait"], later: &[] };
const FLOW: Keys =
    Keys { what: "a `flow` step", known: step_keys!["flow", "process", "of", "stage", "to"], later: &[] };
const FIND: Keys =
    Keys { what: "a `find` step", known: step_keys!["find", "as", "where", "order", "limit"], later: &[] };
const FOR_EACH: Keys = Keys {
    what: "a `for-each` step",
    known: step_keys!["for-each", "of", "as", "where", "order", "limit", "steps"],
    later: &[],
};
const STOP: Keys = Keys { what: "a `stop` step", known: step_keys!["stop", "message"], later: &[] };

/// The kinds of steps that this version knows.
const KINDS: [(&str, &Keys); 19] = [
    ("stage", &STAGE),
    ("if", &IF),
    ("wait", &WAIT),
    ("create", &CREATE),
    ("update", &UPDATE),
    ("assign", &ASSIGN),
    ("change-status", &CHANGE_STATUS),
    ("delete", &DELETE),
    ("share", &SHARE),
    ("unshare", &UNSHARE),
    ("email", &EMAIL),
    ("custom", &CUSTOM),
    ("assign-value", &ASSIGN_VALUE),
    ("action", &ACTION),
    ("start-child", &START_CHILD),
    ("flow", &FLOW),
    ("find", &FIND),
    ("for-each", &FOR_EACH),
    ("stop", &STOP),
];

/// The steps of a workflow.
pub(super) fn convert(fields: &Fields<'_>, scope: &Scope<'_>, own: &Own, entity: Option<&Entity>) -> Vec<Step> {
    match fields.need("steps") {
        Some(_) => convert_at(fields, "steps", scope, own, entity),
        None => Vec::new(),
    }
}

/// The steps at `key`, which is there.
pub(super) fn convert_at(
    fields: &Fields<'_>,
    key: &'static str,
    scope: &Scope<'_>,
    own: &Own,
    entity: Option<&Entity>,
) -> Vec<Step> {
    let report = fields.report;
    let Some(node) = fields.get(key) else { return Vec::new() };
    let mut scope = scope.clone();
    let mut ids = HashSet::new();
    collect_ids(node, &mut ids);
    for id in &ids {
        scope.add_elsewhere(id.clone(), "some way to this place has not passed its step");
    }
    let suspects = RefCell::default();
    let mut steps = Steps { report, own, ids: HashMap::new(), all_ids: ids, branches: 0, may_end: false, suspects };
    let nodes = fields.list(key);
    if nodes.is_empty() && matches!(node.kind, Kind::List(_)) {
        report.error(node.place, "a workflow has at least one step");
    }
    let list = steps.list(nodes, key, &mut scope, true);
    warn_of_unread(report, &list.steps, &scope, node);
    check::warn_of_endless(&steps, &list.steps, entity);
    check::warn_of_guids(report, node);
    list.steps
}

/// The conversion of the steps of one workflow.
pub(super) struct Steps<'r> {
    /// Where errors go.
    pub report: &'r Report<'r>,
    /// The workflow's own triggers.
    pub own: &'r Own,
    /// The ids given so far, with their lines.
    ids: HashMap<SmolStr, u32>,
    /// All ids that steps have anywhere, also those that come later.
    pub all_ids: HashSet<SmolStr>,
    /// How many branches the current step stands in.
    pub branches: usize,
    /// Whether a branch before may have ended the workflow.
    pub may_end: bool,
    /// Steps that start the workflow again where a condition may end that.
    pub suspects: RefCell<Vec<(Place, &'static str)>>,
}

/// A list of steps that was read.
pub(super) struct List {
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether no way goes on behind it.
    pub ends: bool,
}

/// A step that was read.
pub(super) struct Read<'a> {
    /// What it does.
    pub action: StepAction,
    /// What its id stands for in the steps behind it.
    pub result: Option<Root<'a>>,
    /// Whether no way goes on behind it.
    pub ends: bool,
}

impl<'a> Read<'a> {
    fn plain(action: StepAction) -> Self {
        Self { action, result: None, ends: false }
    }
}

impl Steps<'_> {
    /// A list of steps; those that cannot be read are left out.
    pub fn list(&mut self, nodes: &[Node], place: &str, scope: &mut Scope<'_>, top: bool) -> List {
        let mut steps = Vec::with_capacity(nodes.len());
        let (mut ends, mut told) = (false, false);
        self.check_stages(nodes, top);
        for (number, node) in nodes.iter().enumerate() {
            if ends && !told {
                told = true;
                self.report.warn(node.place, "no way leads to this step: the one before ends the workflow", None);
            }
            let here = format!("{place}/{}", number + 1);
            let (step, stops) = self.step(node, &here, scope);
            steps.extend(step);
            ends |= stops;
        }
        List { steps, ends }
    }

    /// If one step is a stage, all beside it are; stages stand at the top only.
    fn check_stages(&self, nodes: &[Node], top: bool) {
        // A step that moves a flow names a stage of that.
        let is_stage = |node: &Node| node.get("stage").is_some() && node.get("flow").is_none();
        if !nodes.iter().any(is_stage) {
            return;
        }
        let is_wrong = |node: &&Node| is_stage(node) != top;
        let message = match top {
            true => "this step stands beside stages: put it into one of them",
            false => "a stage stands at the top level only",
        };
        if let Some(node) = nodes.iter().find(is_wrong) {
            self.report.error(node.place, message);
        }
    }

    fn step(&mut self, node: &Node, here: &str, scope: &mut Scope<'_>) -> (Option<Step>, bool) {
        let Some((fields, kind)) = self.open(node) else { return (None, false) };
        let given = self.id(&fields);
        let read = match kind {
            "stage" => self.stage(&fields, here, scope),
            "if" => self.condition(&fields, here, scope),
            "wait" => wait::wait(self, &fields, here, scope, given.as_deref()),
            "create" => record::create(self, &fields, scope).map(Self::with_result),
            "update" => record::update(self, &fields, scope).map(Self::with_result),
            "assign" => record::assign(self, &fields, scope).map(Read::plain),
            "change-status" => record::change_status(self, &fields, scope).map(Read::plain),
            "delete" => record::delete(self, &fields, scope).map(Read::plain),
            "share" => record::share(self, &fields, scope).map(Read::plain),
            "unshare" => record::unshare(self, &fields, scope).map(Read::plain),
            "email" => email::email(self, &fields, scope).map(Self::with_result),
            "custom" => custom::custom(self, &fields, scope).map(Self::with_result),
            "action" => call::action(self, &fields, scope).map(Self::with_result),
            "start-child" => call::start_child(self, &fields, scope).map(Self::with_result),
            "flow" => flow::flow(self, &fields, scope).map(Self::with_result),
            "find" => find::find(self, &fields, scope).map(Self::with_result),
            "for-each" => find::for_each(self, &fields, here, scope),
            "assign-value" => self.assign_value(&fields, scope).map(Read::plain),
            _ => self.stop(&fields, scope),
        };
        let retry = failing::retry(self, &fields);
        let on_error = failing::on_error(self, &fields, here, scope);
        let ends = read.as_ref().is_some_and(|read| read.ends);
        if let Some(id) = &given {
            match read.as_ref().and_then(|read| read.result.clone()) {
                Some(result) => scope.add(id.clone(), result),
                // A step that could not be read has a result that is unknown.
                None if read.is_none() => scope.add(id.clone(), Root::Broken),
                None => scope.add_elsewhere(id.clone(), "its step has no result"),
            }
        }
        let title = fields.text("title");
        let named = given.is_some();
        let id = StepId::parse(given.as_deref().unwrap_or(here)).ok();
        let step = read.zip(id).map(|(read, id)| Step { id, named, title, action: read.action, retry, on_error });
        (step, ends)
    }

    fn with_result<'a>((action, result): (StepAction, Root<'a>)) -> Read<'a> {
        Read { action, result: Some(result), ends: false }
    }

    /// Finds the one kind key of a step.
    fn open<'n>(&self, node: &'n Node) -> Option<(Fields<'n>, &'static str)>
    where
        Self: 'n,
    {
        let report = self.report;
        let Some(entries) = node.entries() else {
            report.error(node.place, format!("a step is a map, not {}", node.in_words()));
            return None;
        };
        // The kind key comes before keys that would be another kind elsewhere.
        let kind = |entry: &&Entry| KINDS.iter().any(|(kind, _)| *kind == entry.key);
        let aside = |entry: &&Entry| kind(entry) && entry.key != "wait";
        let Some(found) = entries.iter().find(aside).or_else(|| entries.iter().find(kind)) else {
            self.no_kind(node, entries);
            return None;
        };
        let (word, keys) = KINDS.iter().find(|(word, _)| *word == found.key)?;
        let second = entries.iter().filter(|entry| !keys.known.contains(&entry.key.as_str())).find(kind);
        if let Some(second) = second {
            let message = format!("a step has one kind, and this one is `{}` and `{}`", found.key, second.key);
            report.error_with(second.place, message, Some("make two steps of it".to_owned()));
            return None;
        }
        Fields::open(report, node, node.place, keys).map(|fields| (fields, *word))
    }

    fn no_kind(&self, node: &Node, entries: &[Entry]) {
        const ASIDE: [&str; 9] = ["id", "title", "description", "retry", "on-error", "set", "to", "inputs", "as"];
        let kinds = KINDS.iter().map(|(kind, _)| *kind);
        let meant = entries
            .iter()
            .filter(|entry| !ASIDE.contains(&entry.key.as_str()))
            .find_map(|entry| nearest::nearest(&entry.key, kinds.clone()).map(|meant| (entry.place, meant)));
        let (place, hint) = match meant {
            Some((place, meant)) => (place, format!("did you mean `{meant}`?")),
            None => {
                let kinds: Vec<&str> = kinds.collect();
                (node.place, format!("a step has one of {}", kinds.join(", ")))
            }
        };
        self.report.error_with(place, "this step is of no kind", Some(hint));
    }

    /// The id that a step was given: unique, and no word that means something else in an expression.
    fn id(&mut self, fields: &Fields<'_>) -> Option<SmolStr> {
        let node = fields.get("id")?;
        let id = SmolStr::from(fields.text("id")?);
        let report = self.report;
        match StepId::parse(&id) {
            Err(problem) => report.error(node.place, problem.to_string()),
            Ok(_) if id.contains('/') => report.error(node.place, format!("`{id}` is the place of a step, not a name")),
            Ok(_) if is_reserved(&id) => {
                report
                    .error(node.place, format!("`{id}` means something else in expressions; call the step otherwise"));
            }
            Ok(_) => match self.ids.get(&id) {
                Some(line) => {
                    report.error(node.place, format!("step `{id}` is there already, on line {line}"));
                }
                None => {
                    self.ids.insert(id.clone(), report.line(node.place));
                    return Some(id);
                }
            },
        }
        None
    }

    fn stage<'a>(&mut self, fields: &Fields<'_>, here: &str, scope: &mut Scope<'a>) -> Option<Read<'a>> {
        let title = fields.get("stage").and_then(|node| words(self.report, node, "stage"));
        fields.need("steps");
        let nodes = fields.list("steps");
        if nodes.is_empty() && fields.get("steps").is_some() {
            self.report.error(fields.place_of("steps"), "a stage has at least one step");
        }
        let list = self.list(nodes, &format!("{here}/steps"), scope, false);
        Some(Read { action: StepAction::Stage { title: title?, steps: list.steps }, result: None, ends: list.ends })
    }

    fn condition<'a>(&mut self, fields: &Fields<'_>, here: &str, scope: &mut Scope<'a>) -> Option<Read<'a>> {
        let before = self.branches;
        self.branches += 1;
        let mut ways = Ways::new(scope);
        let mut branches = vec![self.branch(fields, here, &mut ways)];
        for (number, node) in fields.list("otherwise-if").iter().enumerate() {
            let here = format!("{here}/otherwise-if/{}", number + 1);
            match Fields::open(self.report, node, node.place, &BRANCH) {
                Some(branch) => branches.push(self.branch(&branch, &here, &mut ways)),
                None => branches.push(None),
            }
        }
        let otherwise = self.way(fields.list("otherwise"), &format!("{here}/otherwise"), &mut ways);
        self.branches = before;
        let ends = ways.join(scope);
        let branches: Option<Vec<_>> = branches.into_iter().collect();
        Some(Read { action: StepAction::If { branches: branches?, otherwise }, result: None, ends })
    }

    fn branch(
        &mut self,
        fields: &Fields<'_>,
        here: &str,
        ways: &mut Ways<'_>,
    ) -> Option<(model::condition::Condition, Vec<Step>)> {
        let mut scope = ways.before.clone();
        scope.asks_custom = true;
        let condition = fields.need("if").and_then(|node| condition::read(self.report, node, &scope));
        fields.need("then");
        let steps = self.way(fields.list("then"), &format!("{here}/then"), ways);
        Some((condition?, steps))
    }

    /// The steps of one way through a branch.
    pub fn way(&mut self, nodes: &[Node], place: &str, ways: &mut Ways<'_>) -> Vec<Step> {
        let mut scope = ways.before.clone();
        let list = self.list(nodes, place, &mut scope, false);
        if !list.ends {
            ways.after.push(scope.roots().cloned().collect());
            ways.last = Some(scope);
        }
        list.steps
    }

    fn assign_value(&mut self, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
        let mut set = Vec::new();
        let mut right = true;
        for entry in fields.map("assign-value") {
            let slot = self.slot(entry, scope);
            let value = slot.as_ref().and_then(|(slot, kind)| {
                let name = match slot {
                    Slot::Variable(name) | Slot::Output(name) => name,
                };
                let wanted = Wanted::argument(name.as_str(), kind, scope.names);
                value::read(self.report, &entry.value, &wanted, scope)
            });
            right &= value.is_some();
            set.extend(slot.map(|(slot, _)| slot).zip(value));
        }
        if set.is_empty() && right {
            self.report.error(fields.place_of("assign-value"), "`assign-value` sets at least one value");
            return None;
        }
        right.then_some(StepAction::AssignValue { set })
    }

    fn slot(&self, entry: &Entry, scope: &Scope<'_>) -> Option<(Slot, ArgumentKind)> {
        let (root, name) = entry.key.split_once('.').unwrap_or(("", &entry.key));
        let declared = match (root, scope.root(root)) {
            ("variables" | "outputs", Some(Root::Arguments(declared))) => declared.as_slice(),
            ("variables" | "outputs", _) => &[],
            _ => {
                let hint = Some(format!("write `variables.{name}` or `outputs.{name}`"));
                self.report.error_with(entry.place, format!("`{}` is no variable and no output", entry.key), hint);
                return None;
            }
        };
        let Some(argument) = declared.iter().find(|argument| argument.name.as_str() == name) else {
            let hint = nearest::hint(name, declared.iter().map(|argument| argument.name.as_str()));
            self.report.error_with(entry.place, format!("the workflow has no `{}`", entry.key), hint);
            return None;
        };
        let slot = match root {
            "variables" => Slot::Variable(argument.name.clone()),
            _ => Slot::Output(argument.name.clone()),
        };
        Some((slot, argument.kind.clone()))
    }

    fn stop<'a>(&mut self, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<Read<'a>> {
        let outcomes = [("succeeded", StopOutcome::Succeeded), ("canceled", StopOutcome::Canceled)];
        let outcome = fields.need("stop").and_then(|_| fields.word("stop", &outcomes));
        let message = match fields.get("message") {
            None => Some(None),
            Some(node) => message(self.report, node, scope).map(Some),
        };
        self.may_end |= self.branches > 0;
        Some(Read { action: StepAction::Stop { outcome: outcome?, message: message? }, result: None, ends: true })
    }
}

fn message(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<ValueSource> {
    let kind = ArgumentKind::plain(ValueType::Text);
    value::read(report, node, &Wanted::plain("message", &kind, scope.names), scope)
}

fn is_reserved(id: &str) -> bool {
    ROOTS.contains(&id) || is_word(id)
}

/// Whether the name is a word of the expression language, or of flows.
pub(super) fn is_word(name: &str) -> bool {
    name == "stages" || script::expression::WORDS.contains(&name) || script::expression::RESERVED.contains(&name)
}

/// The ways through a branch: what is known before it, and behind each way that goes on.
pub(super) struct Ways<'a> {
    before: Scope<'a>,
    after: Vec<HashSet<SmolStr>>,
    last: Option<Scope<'a>>,
}

impl<'a> Ways<'a> {
    /// No way was read yet.
    pub fn new(scope: &Scope<'a>) -> Self {
        Self { before: scope.clone(), after: Vec::new(), last: None }
    }

    /// Leaves in `scope` what every way knows that goes on; tells whether none does.
    pub fn join(self, scope: &mut Scope<'a>) -> bool {
        let Some(last) = self.last else { return true };
        let everywhere = |name: &SmolStr| self.after.iter().all(|way| way.contains(name));
        let known: Vec<_> = last.roots().filter(|name| everywhere(name)).cloned().collect();
        for name in known {
            if let Some(root) = last.root(&name) {
                scope.add(name.clone(), root.clone());
            }
        }
        false
    }
}

fn collect_ids(node: &Node, ids: &mut HashSet<SmolStr>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        Kind::Map(entries) => {
            for entry in entries {
                match entry.value.as_text() {
                    Some(id) if entry.key == "id" => drop(ids.insert(id.into())),
                    _ => collect_ids(&entry.value, ids),
                }
            }
        }
        _ => {}
    }
}

/// A custom step whose outputs nobody reads was probably meant to do something with them.
fn warn_of_unread(report: &Report<'_>, steps: &[Step], scope: &Scope<'_>, node: &Node) {
    for step in steps {
        match &step.action {
            StepAction::Stage { steps, .. } => warn_of_unread(report, steps, scope, node),
            StepAction::If { branches, otherwise } => {
                branches.iter().for_each(|(_, steps)| warn_of_unread(report, steps, scope, node));
                warn_of_unread(report, otherwise, scope, node);
            }
            StepAction::Wait { branches, otherwise } => {
                branches.iter().for_each(|branch| warn_of_unread(report, &branch.then, scope, node));
                otherwise.iter().for_each(|steps| warn_of_unread(report, steps, scope, node));
            }
            StepAction::ForEach { steps, .. } => warn_of_unread(report, steps, scope, node),
            StepAction::Custom { .. } | StepAction::Find(_) if step.named && !scope.is_read(step.id.as_str()) => {
                let place = place_of_id(node, step.id.as_str()).unwrap_or(node.place);
                report.warn(place, format!("nobody reads the result of `{}`", step.id), None);
            }
            _ => {}
        }
    }
}

fn place_of_id(node: &Node, id: &str) -> Option<Place> {
    match &node.kind {
        Kind::List(items) => items.iter().find_map(|item| place_of_id(item, id)),
        Kind::Map(entries) => entries.iter().find_map(|entry| match entry.value.as_text() {
            Some(text) if entry.key == "id" && text == id => Some(entry.value.place),
            _ => place_of_id(&entry.value, id),
        }),
        _ => None,
    }
}
