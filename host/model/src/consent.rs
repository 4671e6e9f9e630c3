//! What a package asks for and what an operator said yes to: verbs on entities, actions, hosts, other limits.
//!
//! Manifests say what is wanted, the store keeps what was granted, the engine compares them before each call, and people
//! read both in the same words. Whatever is granted, a step never gets beyond the rights of the user as whom it acts.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    time::Duration,
};

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use crate::{
    grant::{Grants, HostGrant, LimitChanges},
    package::{Manifest, StepDefinition},
};

/// The entity that stands for all.
const ANY: &str = "any";

/// The key under which a manifest lists actions.
const ACTIONS: &str = "actions";

/// The verbs that can be asked for.
pub const VERBS: [&str; 8] = ["retrieve", "query", "create", "update", "delete", "assign", "set-status", "share"];

/// The limits of a call by their keys, each with the largest that can be granted.
pub const LIMITS: [(&str, u64); 8] = [
    ("cpu-ms", 60_000),
    ("wall-ms", 3_600_000),
    ("memory", 1 << 30),
    ("input", 64 << 20),
    ("output", 64 << 20),
    ("log", 16 << 20),
    ("verb-calls", 1_000_000),
    ("http-calls", 100_000),
];

/// What is asked for, or what is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Verbs by entity; `any` stands for every entity.
    pub verbs: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
    /// Actions by name.
    pub actions: BTreeSet<SmolStr>,
    /// Hosts that HTTP requests may go to, as the manifest writes them: `api.example.com`, `*.example.com`.
    pub hosts: BTreeSet<SmolStr>,
    /// Limits in place of the usual ones, by step and then by the key that the manifest has for them.
    pub limits: BTreeMap<SmolStr, BTreeMap<SmolStr, u64>>,
}

impl Consent {
    /// What one step asks for. Hosts are asked for by the package as a whole: a request to one that was not granted is
    /// refused when it is made.
    pub fn of_step(step: &StepDefinition) -> Self {
        let mut wanted = Self::default();
        let limits = limits_of(&step.claims.limits);
        if !limits.is_empty() {
            wanted.limits.insert(step.name.as_str().into(), limits);
        }
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
        let mut wanted = Self::default();
        manifest.steps.iter().for_each(|step| wanted.add(&Self::of_step(step)));
        wanted.hosts.extend(manifest.wants.hosts.iter().map(|(host, _)| host.to_smolstr()));
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
        for (step, limits) in &other.limits {
            self.limits
                .entry(step.clone())
                .or_default()
                .extend(limits.iter().map(|(key, figure)| (key.clone(), *figure)));
        }
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
        for (step, gone) in &other.limits {
            if let Some(limits) = self.limits.get_mut(step) {
                limits.retain(|key, _| !gone.contains_key(key));
            }
        }
        self.limits.retain(|_, limits| !limits.is_empty());
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
        let limits = self.limits.iter().flat_map(|(step, limits)| {
            limits.iter().map(move |(key, figure)| format!("run `{step}` with the limit {key} at {figure}"))
        });
        verbs.chain(actions).chain(hosts).chain(limits).collect()
    }

    /// One item for each thing, as they are typed and stored: `complaint:retrieve,update`, `action:close`,
    /// `host:api.example.com`, `limit:complaints.classify/cpu-ms=500`.
    pub fn items(&self) -> Vec<SmolStr> {
        let verbs = self.verbs.iter().map(|(entity, verbs)| {
            let verbs: Vec<&str> = verbs.iter().map(SmolStr::as_str).collect();
            format_smolstr!("{entity}:{}", verbs.join(","))
        });
        let actions = self.actions.iter().map(|action| format_smolstr!("action:{action}"));
        let hosts = self.hosts.iter().map(|host| format_smolstr!("host:{host}"));
        let limits = self.limits.iter().flat_map(|(step, limits)| {
            limits.iter().map(move |(key, figure)| format_smolstr!("limit:{step}/{key}={figure}"))
        });
        verbs.chain(actions).chain(hosts).chain(limits).collect()
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

impl From<&Consent> for Grants {
    /// What the sandbox is told; settings and secrets are said apart.
    fn from(consent: &Consent) -> Self {
        let names = |names: &BTreeSet<SmolStr>| names.iter().cloned().collect::<Vec<_>>();
        let mut uses: Vec<_> = consent.verbs.iter().map(|(entity, verbs)| (entity.clone(), names(verbs))).collect();
        uses.push((ACTIONS.into(), names(&consent.actions)));
        Self {
            uses: Some(uses),
            // What is no host any more to this version reaches none.
            hosts: consent.hosts.iter().filter_map(|host| HostGrant::parse(host).ok()).collect(),
            limits: consent.limits.iter().map(|(step, limits)| (step.clone(), changes_of(limits))).collect(),
            ..Self::default()
        }
    }
}

/// Limits by the keys that manifests have for them, in the order of `LIMITS`.
pub fn limits_of(changes: &LimitChanges) -> BTreeMap<SmolStr, u64> {
    let millis = |time: Option<Duration>| time.and_then(|time| u64::try_from(time.as_millis()).ok());
    let bytes = |bytes: Option<usize>| bytes.map(|bytes| bytes as u64);
    let figures = [
        millis(changes.cpu),
        millis(changes.wall),
        bytes(changes.memory),
        bytes(changes.input),
        bytes(changes.output),
        bytes(changes.log),
        changes.verb_calls.map(u64::from),
        changes.http_calls.map(u64::from),
    ];
    let named = LIMITS.iter().zip(figures).filter_map(|((key, _), figure)| Some(((*key).into(), figure?)));
    named.collect()
}

/// The limits that these keys set.
pub fn changes_of(limits: &BTreeMap<SmolStr, u64>) -> LimitChanges {
    let [cpu, wall, memory, input, output, log, verbs, requests] = LIMITS.map(|(key, _)| limits.get(key).copied());
    let bytes = |figure: Option<u64>| figure.and_then(|figure| usize::try_from(figure).ok());
    let count = |figure: Option<u64>| figure.and_then(|figure| u32::try_from(figure).ok());
    LimitChanges {
        cpu: cpu.map(Duration::from_millis),
        wall: wall.map(Duration::from_millis),
        memory: bytes(memory),
        input: bytes(input),
        output: bytes(output),
        log: bytes(log),
        verb_calls: count(verbs),
        http_calls: count(requests),
    }
}

impl FromStr for Consent {
    type Err = String;

    fn from_str(item: &str) -> Result<Self, String> {
        let mut grant = Self::default();
        let form = "a grant is written ENTITY:VERB,VERB, action:NAME, host:NAME or limit:STEP/LIMIT=FIGURE";
        let (kind, rest) = item
            .split_once(':')
            .filter(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
            .ok_or_else(|| format!("`{item}` is no grant: {form}"))?;
        match kind {
            "action" => drop(grant.actions.insert(rest.into())),
            "host" => {
                let host = HostGrant::parse(rest).map_err(|why| format!("`{item}` names no host: {why}"))?;
                grant.hosts.insert(host.to_smolstr());
            }
            "limit" => {
                let (step, limit) = rest.split_once('/').ok_or_else(|| format!("`{item}` is no grant: {form}"))?;
                let (key, figure) = limit.split_once('=').ok_or_else(|| format!("`{item}` is no grant: {form}"))?;
                let (_, most) = LIMITS.iter().find(|(known, _)| *known == key).ok_or_else(|| {
                    format!("`{item}` names the limit `{key}`; there are {}", LIMITS.map(|(key, _)| key).join(", "))
                })?;
                let figure = figure.parse().ok().filter(|figure| (1..=*most).contains(figure));
                let figure = figure.ok_or_else(|| format!("`{item}`: {key} is a number from 1 to {most}"))?;
                grant.limits.entry(step.into()).or_default().insert(key.into(), figure);
            }
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

    fn grant(items: &[&str]) -> Consent {
        Consent::from_items(items.iter().copied()).expect("a grant")
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
        check_lacking(&[], &["limit:a.b/cpu-ms=2"], &[]);
    }

    #[test]
    fn items_are_read_as_they_are_written() {
        let items =
            ["task:create,update", "action:close", "host:api.example.com", "limit:a.b/cpu-ms=2", "limit:a.b/memory=9"];
        assert_eq!(grant(&items).items(), items);
        let mut less = grant(&items);
        less.remove(&grant(&["task:create", "host:api.example.com", "limit:a.b/cpu-ms=7"]));
        assert_eq!(less.items(), ["task:update", "action:close", "limit:a.b/memory=9"]);
    }

    #[test]
    fn what_is_no_grant_is_said() {
        let check = |item: &str, says: &str| {
            let error = item.parse::<Consent>().expect_err(item);
            assert!(error.contains(says), "{item}: {error}");
        };
        check("task", "is no grant");
        check("task:read", "the verb `read`; there are retrieve");
        check("limit:a.b/cpu-ms=fast", "cpu-ms is a number from 1 to 60000");
        check("limit:a.b/memory=99999999999", "from 1 to 1073741824");
        check("limit:a.b/tables=3", "there are cpu-ms, wall-ms");
        check("limit:a.b", "is no grant");
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
}
