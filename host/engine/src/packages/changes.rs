//! What is different between two versions of a plugin, in the words of who has to say yes to the newer one.

use model::{
    Argument,
    consent::Consent,
    package::{Manifest, StepDefinition},
};

/// One sentence for each difference that somebody could notice: steps, their inputs, outputs and error codes, and what is
/// asked for.
pub(crate) fn between(old: &Manifest, new: &Manifest) -> Vec<String> {
    let mut changes = Vec::new();
    if old.version != new.version {
        changes.push(format!("version {} becomes {}", old.version, new.version));
    }
    for step in &new.steps {
        match old.steps.iter().find(|known| known.name == step.name) {
            None => changes.push(format!("`{}` is new", step.name)),
            Some(known) => of_step(known, step, &mut changes),
        }
    }
    let gone = old.steps.iter().filter(|step| !new.steps.iter().any(|other| other.name == step.name));
    changes.extend(gone.map(|step| format!("`{}` is gone", step.name)));
    let (before, after) = (Consent::of_package(old), Consent::of_package(new));
    changes.extend(before.lacking(&after).sentences().into_iter().map(|what| format!("it now asks to {what}")));
    changes.extend(after.lacking(&before).sentences().into_iter().map(|what| format!("it no longer asks to {what}")));
    changes
}

fn of_step(old: &StepDefinition, new: &StepDefinition, changes: &mut Vec<String>) {
    let name = &new.name;
    if old.kind != new.kind {
        changes.push(format!("`{name}` is another kind of step than before"));
    }
    if old.external != new.external {
        let now = if new.external { "now has effects outside" } else { "has no effects outside any more" };
        changes.push(format!("`{name}` {now}"));
    }
    arguments(&format!("input of `{name}`"), &old.inputs, &new.inputs, changes);
    arguments(&format!("output of `{name}`"), &old.outputs, &new.outputs, changes);
    let is_there = |step: &StepDefinition, code: &str| step.errors.iter().any(|(known, _)| known == code);
    for (code, _) in new.errors.iter().filter(|(code, _)| !is_there(old, code)) {
        changes.push(format!("`{name}` may fail by `{code}`"));
    }
    for (code, _) in old.errors.iter().filter(|(code, _)| !is_there(new, code)) {
        changes.push(format!("`{name}` no longer fails by `{code}`"));
    }
}

fn arguments(what: &str, old: &[Argument], new: &[Argument], changes: &mut Vec<String>) {
    for argument in new {
        let Some(known) = old.iter().find(|known| known.name == argument.name) else {
            let must = if argument.required { ", and it is required" } else { "" };
            changes.push(format!("the {what} `{}` is new{must}", argument.name));
            continue;
        };
        let (before, after) = (known.kind.value_type, argument.kind.value_type);
        if before != after {
            changes.push(format!("the {what} `{}` was {before} and is {after}", argument.name));
        } else if known.kind != argument.kind {
            changes.push(format!("the {what} `{}` has other options or bounds", argument.name));
        }
        match (known.required, argument.required) {
            (false, true) => changes.push(format!("the {what} `{}` is required now", argument.name)),
            (true, false) => changes.push(format!("the {what} `{}` is not required any more", argument.name)),
            _ => {}
        }
        if known.default != argument.default {
            changes.push(format!("the {what} `{}` has another default", argument.name));
        }
    }
    let gone = old.iter().filter(|argument| !new.iter().any(|other| other.name == argument.name));
    changes.extend(gone.map(|argument| format!("the {what} `{}` is gone", argument.name)));
}
