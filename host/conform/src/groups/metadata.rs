//! META: what a component says of itself, and whether it is true.

use model::{Argument, package::StepDefinition};
use serde_json::Value as Json;

use super::{counted, error, shortened};
use crate::{
    bench::{Bench, Setting},
    case::Verdict,
};

const CONTRACT: &str = "stepwise:plugin/";

/// META-1
pub fn speaks_the_contract(bench: &Bench) -> Verdict {
    let found = &bench.subject.examination;
    let steps = found.exports.iter().filter(|export| export.starts_with("stepwise:plugin/step@")).count();
    let mut sentences = found.outside.clone();
    if steps > 1 {
        sentences.push(format!("it exports `stepwise:plugin/step` {steps} times"));
    }
    Verdict::of(sentences, format!("{} of the contract and of WASI", counted(found.imports.len(), "import")))
}

/// META-2
pub fn describes_itself_the_same_way(bench: &Bench) -> Verdict {
    let documents = &bench.subject.examination.documents;
    let mut sentences: Vec<String> = documents.iter().filter_map(|document| document.clone().err()).collect();
    sentences.dedup();
    if let [Ok(first), Ok(second)] = documents.as_slice() {
        if first != second {
            sentences.push("two fresh instances describe themselves differently".into());
        }
        return Verdict::of(sentences, format!("{} bytes, twice", first.len()));
    }
    if documents.is_empty() {
        return Verdict::Skipped("it cannot be loaded: META-1 says why".into());
    }
    Verdict::of(sentences, "twice")
}

/// META-3
pub fn the_manifest_is_whole(bench: &Bench) -> Verdict {
    let manifest = match &bench.subject.examination.manifest {
        None => return Verdict::Skipped("it does not describe itself: META-2 says why".into()),
        Some(Err(sentences)) => return Verdict::Failed(sentences.clone()),
        Some(Ok(manifest)) => manifest,
    };
    let undocumented = |step: &StepDefinition| {
        let own = [("title", step.title.is_empty()), ("description", step.description.is_empty())];
        let own = own.into_iter().filter(|(_, lacking)| *lacking);
        let own = own.map(|(key, _)| format!("`{}` has no {key}", step.name));
        let bare = |argument: &&Argument| argument.description.is_empty() && argument.title.is_empty();
        let arguments = step.inputs.iter().chain(&step.outputs).filter(bare);
        own.chain(arguments.map(|argument| format!("`{}` does not say what `{}` is", step.name, argument.name)))
            .collect::<Vec<_>>()
    };
    let sentences = manifest.steps.iter().flat_map(undocumented).collect();
    Verdict::of(shortened(sentences), counted(manifest.steps.len(), "step"))
}

/// META-4
pub fn the_version_is_the_true_one(bench: &Bench) -> Verdict {
    let found = &bench.subject.examination;
    let Some(Ok(document)) = found.documents.first() else {
        return Verdict::Skipped("it does not describe itself: META-2 says why".into());
    };
    let document: Json = serde_json::from_slice(document).unwrap_or_default();
    let Some(said) = document["contract"].as_str().and_then(number) else {
        return Verdict::Failed(vec!["its manifest has no `contract`, the version that it is made for: `1.0`".into()]);
    };
    let names = found.imports.iter().map(|import| &import.interface).chain(&found.exports);
    let sentences = names.filter(|name| name.starts_with(CONTRACT)).filter_map(|name| {
        let used = name.split_once('@').and_then(|(_, version)| number(version))?;
        let fits = used.0 == said.0 && used.1 <= said.1;
        (!fits).then(|| format!("its manifest says contract {}.{}, and it speaks `{name}`", said.0, said.1))
    });
    Verdict::of(sentences.collect(), format!("contract {}.{}", said.0, said.1))
}

/// Major and minor of `1.0` and of `1.0.0`.
fn number(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// META-5
pub fn what_is_used_is_declared(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut used) = (Vec::new(), Vec::new());
    let calls = bench.good_calls();
    for call in &calls {
        let trial = bench.make(call, Setting::default());
        if let Some(refused) =
            error(&trial.result).filter(|error| error.code == "not-granted" || error.code == "not-external")
        {
            sentences.push(format!("{}: {}", call.title, refused.message));
        }
        sentences.extend(trial.strangers.iter().map(|host| {
            format!("{}: it sent a request to `{host}`, which its manifest does not list under `hosts`", call.title)
        }));
        used.extend(trial.memory.journal.iter().filter_map(|line| {
            let (verb, rest) = line.split_once(' ')?;
            Some((rest.split(' ').next()?.to_owned(), verb.to_owned()))
        }));
    }
    let listed = calls.iter().flat_map(|call| call.step.uses.iter());
    let listed = listed.flat_map(|(entity, verbs)| verbs.iter().map(move |verb| (entity, verb)));
    let idle = listed.filter(|(entity, verb)| {
        !used.iter().any(|(of, done)| done == verb.as_str() && (of == entity.as_str() || *entity == "any"))
            && *entity != "actions"
    });
    let mut idle: Vec<String> = idle.map(|(entity, verb)| format!("`{verb}` of `{entity}`")).collect();
    idle.sort();
    idle.dedup();
    let tried = match idle.is_empty() {
        true => counted(calls.len(), "call"),
        false => format!("{}; declared and used by none of them: {}", counted(calls.len(), "call"), idle.join(", ")),
    };
    Verdict::of(shortened(sentences), tried)
}
