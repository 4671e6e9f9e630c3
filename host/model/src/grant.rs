//! What a package asks for and what an operator gives it: verbs on entities, actions, hosts, more than the usual limits.
//!
//! Manifests say what is wanted, the store keeps what was given, the engine compares them before each call, and people
//! read both in the same words. Whatever is granted, a step never gets beyond the rights of the user as whom it acts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    str::FromStr,
    time::Duration,
};

use smol_str::{SmolStr, format_smolstr};

use crate::{
    package::{Manifest, StepDefinition},
    step::Limits,
};

/// The entity that stands for all.
const ANY: &str = "any";

/// The key under which a manifest lists actions.
const ACTIONS: &str = "actions";

/// The verbs that can be asked for.
pub const VERBS: [&str; 8] = ["retrieve", "query", "create", "update", "delete", "assign", "set-status", "share"];

/// What is asked for, or what is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Verbs by entity; `any` stands for every entity.
    pub verbs: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
    /// Actions by name.
    pub actions: BTreeSet<SmolStr>,
    /// Hosts that HTTP requests may go to, as the manifest writes them: `api.example.com`, `*.example.com`.
    pub hosts: BTreeSet<SmolStr>,
    /// Limits beside the usual ones.
    pub limits: Wish,
}

/// Limits that are wanted, or given, in place of the usual ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Processor time of one call.
    pub cpu: Option<Duration>,
    /// Time by the clock on the wall of one call.
    pub wall: Option<Duration>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Calls of verbs and queries.
    pub verb_calls: Option<u32>,
}

/// What the engine lets one call use beside the verbs: what was granted and what the operator set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Hosts that were granted.
    pub hosts: Vec<SmolStr>,
    /// Settings of the library, by key.
    pub config: HashMap<SmolStr, SmolStr>,
    /// Secrets of the library, by key.
    pub secrets: HashMap<SmolStr, Secret>,
}

/// A secret. It shows in no debug text; whoever needs it asks for it by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(SmolStr);

impl Secret {
    /// A secret.
    pub fn new(value: impl Into<SmolStr>) -> Self {
        Self(value.into())
    }

    /// The secret itself: only for the wire to a granted host.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Grant {
    /// What one step asks for.
    pub fn of_step(step: &StepDefinition) -> Self {
        let mut wanted = Self::default();
        for (entity, names) in &step.uses {
            match entity.as_str() {
                ACTIONS => wanted.actions.extend(names.iter().cloned()),
                _ => wanted.verbs.entry(entity.clone()).or_default().extend(names.iter().cloned()),
            }
        }
        wanted
    }

    /// What a package asks for, all its steps together.
    pub fn of_package(manifest: &Manifest) -> Self {
        let mut wanted = Self { limits: manifest.limits, ..Self::default() };
        manifest.steps.iter().for_each(|step| wanted.add(&Self::of_step(step)));
        wanted.hosts.extend(manifest.hosts.iter().cloned());
        wanted
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes `other` in. Of two limits the one of `other` counts.
    pub fn add(&mut self, other: &Self) {
        for (entity, verbs) in &other.verbs {
            self.verbs.entry(entity.clone()).or_default().extend(verbs.iter().cloned());
        }
        self.actions.extend(other.actions.iter().cloned());
        self.hosts.extend(other.hosts.iter().cloned());
        let (mine, other) = (self.limits, other.limits);
        self.limits = Wish {
            cpu: other.cpu.or(mine.cpu),
            wall: other.wall.or(mine.wall),
            memory: other.memory.or(mine.memory),
            verb_calls: other.verb_calls.or(mine.verb_calls),
        };
    }

    /// Takes `other` out. A limit goes whatever its figure is.
    pub fn remove(&mut self, other: &Self) {
        for (entity, gone) in &other.verbs {
            if let Some(verbs) = self.verbs.get_mut(entity) {
                verbs.retain(|verb| !gone.contains(verb));
            }
        }
        self.verbs.retain(|_, verbs| !verbs.is_empty());
        self.actions.retain(|action| !other.actions.contains(action));
        self.hosts.retain(|host| !other.hosts.contains(host));
        let (mine, gone) = (self.limits, other.limits);
        self.limits = Wish {
            cpu: mine.cpu.filter(|_| gone.cpu.is_none()),
            wall: mine.wall.filter(|_| gone.wall.is_none()),
            memory: mine.memory.filter(|_| gone.memory.is_none()),
            verb_calls: mine.verb_calls.filter(|_| gone.verb_calls.is_none()),
        };
    }

    /// What of `wanted` this does not give. A limit that is wanted is no must: the step runs by the usual ones.
    #[must_use]
    pub fn lacking(&self, wanted: &Self) -> Self {
        let everywhere = self.verbs.get(ANY);
        let mut lacking = Self::default();
        for (entity, verbs) in &wanted.verbs {
            let here = self.verbs.get(entity);
            let given = |verb: &&SmolStr| [here, everywhere].into_iter().flatten().any(|given| given.contains(*verb));
            let missing: BTreeSet<SmolStr> = verbs.iter().filter(|verb| !given(verb)).cloned().collect();
            if !missing.is_empty() {
                lacking.verbs.insert(entity.clone(), missing);
            }
        }
        lacking.actions = wanted.actions.difference(&self.actions).cloned().collect();
        lacking.hosts = wanted.hosts.difference(&self.hosts).cloned().collect();
        lacking
    }

    /// One sentence for each thing, as people read them before they say yes.
    pub fn sentences(&self) -> Vec<String> {
        let verbs = self.verbs.iter().map(|(entity, verbs)| {
            let verbs = listed(verbs.iter().map(SmolStr::as_str));
            match entity.as_str() {
                ANY => format!("{verbs} records of every entity, as far as the user of the run may"),
                entity => format!("{verbs} `{entity}`, as far as the user of the run may"),
            }
        });
        let actions = self.actions.iter().map(|action| format!("call the action `{action}`"));
        let hosts = self.hosts.iter().map(|host| format!("send HTTP requests to `{host}`"));
        let limits = self.limits.items().into_iter().map(|item| format!("run by another limit than usual: {item}"));
        verbs.chain(actions).chain(hosts).chain(limits).collect()
    }

    /// One item for each thing, as they are typed and stored: `complaint:retrieve,update`, `action:close`,
    /// `host:api.example.com`, `cpu=500ms`.
    pub fn items(&self) -> Vec<SmolStr> {
        let verbs = self.verbs.iter().map(|(entity, verbs)| {
            let verbs: Vec<&str> = verbs.iter().map(SmolStr::as_str).collect();
            format_smolstr!("{entity}:{}", verbs.join(","))
        });
        let actions = self.actions.iter().map(|action| format_smolstr!("action:{action}"));
        let hosts = self.hosts.iter().map(|host| format_smolstr!("host:{host}"));
        verbs.chain(actions).chain(hosts).chain(self.limits.items()).collect()
    }

    /// Reads such items.
    ///
    /// # Errors
    /// The first that is none, in words.
    pub fn from_items<'i>(items: impl IntoIterator<Item = &'i str>) -> Result<Self, String> {
        let mut grant = Self::default();
        for item in items {
            grant.add(&item.parse()?);
        }
        Ok(grant)
    }
}

impl FromStr for Grant {
    type Err = String;

    fn from_str(item: &str) -> Result<Self, String> {
        let mut grant = Self::default();
        if let Some((limit, figure)) = item.split_once('=') {
            grant.limits = Wish::read(limit, figure)?;
            return Ok(grant);
        }
        let form = "a grant is written ENTITY:VERB,VERB, action:NAME, host:NAME or LIMIT=FIGURE";
        let (kind, rest) = item
            .split_once(':')
            .filter(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
            .ok_or_else(|| format!("`{item}` is no grant: {form}"))?;
        match kind {
            "action" => drop(grant.actions.insert(rest.into())),
            "host" => drop(grant.hosts.insert(rest.into())),
            entity => {
                let verbs: BTreeSet<SmolStr> = rest.split(',').map(|verb| verb.trim().into()).collect();
                if let Some(unknown) = verbs.iter().find(|verb| !VERBS.contains(&verb.as_str())) {
                    return Err(format!("`{item}` names the verb `{unknown}`; there are {}", VERBS.join(", ")));
                }
                grant.verbs.insert(entity.into(), verbs);
            }
        }
        Ok(grant)
    }
}

impl Wish {
    /// The usual limits with these in their place.
    #[must_use]
    pub fn over(self, usual: Limits) -> Limits {
        Limits {
            cpu: self.cpu.unwrap_or(usual.cpu),
            wall: self.wall.unwrap_or(usual.wall),
            memory: self.memory.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usual.memory),
            verb_calls: self.verb_calls.unwrap_or(usual.verb_calls),
            ..usual
        }
    }

    fn items(self) -> Vec<SmolStr> {
        let time = |name: &str, time: Duration| format_smolstr!("{name}={}ms", time.as_millis());
        [
            self.cpu.map(|figure| time("cpu", figure)),
            self.wall.map(|figure| time("wall", figure)),
            self.memory.map(|bytes| format_smolstr!("memory={}MiB", bytes.div_ceil(1 << 20))),
            self.verb_calls.map(|calls| format_smolstr!("verb-calls={calls}")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Reads one limit: `cpu=500ms`, `wall=60s`, `memory=128MiB`, `verb-calls=1000`.
    fn read(name: &str, figure: &str) -> Result<Self, String> {
        let wrong = |form: &str| format!("`{name}={figure}` is no limit: write {name}={form}");
        let mut wish = Self::default();
        match name {
            "cpu" => wish.cpu = Some(duration(figure).ok_or_else(|| wrong("500ms or 2s"))?),
            "wall" => wish.wall = Some(duration(figure).ok_or_else(|| wrong("500ms or 60s"))?),
            "memory" => {
                let mebibytes = figure.strip_suffix("MiB").and_then(|figure| figure.parse::<u64>().ok());
                // Slots for memories are that large.
                let possible = mebibytes.filter(|mebibytes| (1..=1024).contains(mebibytes));
                wish.memory = Some(possible.ok_or_else(|| wrong("128MiB, 1024MiB at most"))? << 20);
            }
            "verb-calls" => wish.verb_calls = Some(figure.parse().map_err(|_| wrong("1000"))?),
            _ => return Err(format!("`{name}` is no limit; there are cpu, wall, memory, verb-calls")),
        }
        Ok(wish)
    }
}

/// `500ms`, `2s`; up to an hour.
fn duration(text: &str) -> Option<Duration> {
    let millis = match text.strip_suffix("ms") {
        Some(figure) => figure.parse::<u64>().ok()?,
        None => text.strip_suffix('s')?.parse::<u64>().ok()?.checked_mul(1_000)?,
    };
    (1..=3_600_000).contains(&millis).then(|| Duration::from_millis(millis))
}

/// `a`, `a and b`, `a, b and c`.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(items: &[&str]) -> Grant {
        Grant::from_items(items.iter().copied()).expect("a grant")
    }

    fn check_lacking(given: &[&str], wanted: &[&str], lacking: &[&str]) {
        assert_eq!(grant(given).lacking(&grant(wanted)).items(), lacking, "{given:?} for {wanted:?}");
    }

    #[test]
    fn what_is_wanted_and_not_given_is_lacking() {
        check_lacking(&[], &[], &[]);
        check_lacking(&[], &["task:create"], &["task:create"]);
        check_lacking(&["task:create"], &["task:create,delete"], &["task:delete"]);
        check_lacking(&["any:create"], &["task:create", "team:create"], &[]);
        check_lacking(&["task:create"], &["any:create"], &["any:create"]);
        check_lacking(&["host:*.example.com"], &["host:api.example.com"], &["host:api.example.com"]);
        check_lacking(&["action:close"], &["action:close", "action:open"], &["action:open"]);
        // What is no must.
        check_lacking(&[], &["cpu=2s"], &[]);
    }

    #[test]
    fn items_are_read_as_they_are_written() {
        let items = ["task:create,update", "action:close", "host:api.example.com", "cpu=2000ms", "memory=128MiB"];
        assert_eq!(grant(&items).items(), items);
        let mut less = grant(&items);
        less.remove(&grant(&["task:create", "host:api.example.com", "cpu=1s"]));
        assert_eq!(less.items(), ["task:update", "action:close", "memory=128MiB"]);
    }

    #[test]
    fn what_is_no_grant_is_said() {
        let check = |item: &str, says: &str| {
            let error = item.parse::<Grant>().expect_err(item);
            assert!(error.contains(says), "{item}: {error}");
        };
        check("task", "is no grant");
        check("task:read", "the verb `read`; there are retrieve");
        check("cpu=fast", "write cpu=500ms");
        check("memory=9000MiB", "1024MiB at most");
        check("tables=3", "there are cpu, wall");
    }

    #[test]
    fn a_grant_is_told_in_words() {
        let words = grant(&["task:create,delete,update", "any:query", "action:close", "host:h.example"]).sentences();
        assert_eq!(
            words,
            [
                "query records of every entity, as far as the user of the run may",
                "create, delete and update `task`, as far as the user of the run may",
                "call the action `close`",
                "send HTTP requests to `h.example`",
            ]
        );
    }

    #[test]
    fn a_secret_shows_in_no_debug_text() {
        let allowed =
            Allowed { secrets: [("key".into(), Secret::new("hunter2"))].into_iter().collect(), ..Allowed::default() };
        assert!(!format!("{allowed:?}").contains("hunter2"));
    }
}
