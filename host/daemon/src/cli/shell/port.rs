//! A port over HTTP: the lines of a session as requests to the web API of a daemon.

use std::path::PathBuf;

use model::{Privilege, Timestamp, job::Order};
use scenario::port::{
    FlowAsk, Given, Imported, Migrating, No, Piece, Port, Question, Shown, ShownJob, Target, TaskAsk,
};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use uuid::Uuid;

use super::entities::Entities;
use crate::{
    cli::{import::Import, job::escaped},
    client::Client,
    trouble::Trouble,
};

/// A daemon that a session talks to.
pub struct Http {
    pub(super) client: Client,
    entities: Entities,
}

const DATA: &str = "/api/data/v9.2";

impl Http {
    /// A port to the daemon behind `client`.
    pub fn new(client: Client) -> Result<Self, Trouble> {
        Ok(Self { entities: Entities::ask(&client)?, client })
    }

    fn body(&self, entity: &str, values: &[(SmolStr, Given)]) -> Result<Json, No> {
        let properties = values.iter().map(|(name, given)| self.entities.property(entity, name, given));
        properties.collect::<Result<Map<_, _>, No>>().map(Json::Object)
    }

    fn write(&self, method: &str, path: &str, body: Option<&Json>, version: Option<u64>) -> Result<Json, No> {
        let condition = version.map_or_else(|| "*".to_owned(), |version| format!("W/\"{version:x}\""));
        let headers: &[(&str, &str)] = match method {
            "POST" => &[("prefer", "return=representation")],
            _ => &[("if-match", &condition)],
        };
        self.client.request(method, &format!("{DATA}{path}"), headers, body).map_err(no)
    }

    fn shown(&self, entity: &str, record: &Json, attributes: &[SmolStr]) -> Result<Shown, No> {
        let known = self.entities.entity(entity)?;
        let id = record[known["id"].as_str().unwrap_or_default()].as_str().unwrap_or_default();
        let id = id.parse().map_err(|_| No::new("fault", "the daemon sent a record without an id"))?;
        let wanted = |attribute: &&Json| match attributes.is_empty() {
            true => attribute["common"] == false,
            false => attributes.iter().any(|name| attribute["name"] == name.as_str()),
        };
        let all = known["attributes"].as_array().into_iter().flatten();
        let mut fields: Vec<(SmolStr, Piece)> = all
            .filter(wanted)
            .filter_map(|attribute| {
                let name = attribute["name"].as_str()?;
                Some((name.into(), piece(known, attribute, record)?))
            })
            .collect();
        fields.sort_by_key(|(name, _)| attributes.iter().position(|wanted| wanted == name));
        Ok(Shown { target: Target { entity: entity.into(), id }, fields })
    }
}

impl Port for Http {
    fn create(&mut self, entity: &str, values: &[(SmolStr, Given)]) -> Result<Uuid, No> {
        let body = self.body(entity, values)?;
        let record = self.write("POST", &format!("/{}", self.entities.set(entity)?), Some(&body), None)?;
        Ok(self.shown(entity, &record, &[])?.target.id)
    }

    fn update(&mut self, target: &Target, version: Option<u64>, values: &[(SmolStr, Given)]) -> Result<(), No> {
        let body = self.body(&target.entity, values)?;
        self.write("PATCH", &self.entities.address(target)?, Some(&body), version).map(drop)
    }

    fn delete(&mut self, target: &Target, version: Option<u64>) -> Result<(), No> {
        self.write("DELETE", &self.entities.address(target)?, None, version).map(drop)
    }

    fn assign(&mut self, target: &Target, to: &Target) -> Result<(), No> {
        let body = json!({"ownerid@odata.bind": self.entities.address(to)?});
        self.write("PATCH", &self.entities.address(target)?, Some(&body), None).map(drop)
    }

    fn share(&mut self, target: &Target, with: &Target, rights: &[SmolStr]) -> Result<(), No> {
        let mask = rights.iter().map(|word| right(word)).collect::<Result<Vec<_>, _>>()?.join(",");
        let access = json!({"Principal": self.entities.named(with)?, "AccessMask": mask});
        let body = json!({"Target": self.entities.named(target)?, "PrincipalAccess": access});
        self.write("POST", "/GrantAccess", Some(&body), None).map(drop)
    }

    fn unshare(&mut self, target: &Target, with: &Target) -> Result<(), No> {
        let body = json!({"Target": self.entities.named(target)?, "Revokee": self.entities.named(with)?});
        self.write("POST", "/RevokeAccess", Some(&body), None).map(drop)
    }

    fn set_status(&mut self, target: &Target, to: &str) -> Result<(), No> {
        let (state, status) = self.entities.status(&target.entity, to)?;
        let body = json!({"statecode": state, "statuscode": status});
        self.write("PATCH", &self.entities.address(target)?, Some(&body), None).map(drop)
    }

    fn get(&mut self, target: &Target, attributes: &[SmolStr]) -> Result<Shown, No> {
        let record = self.client.get(&format!("{DATA}{}", self.entities.address(target)?)).map_err(no)?;
        self.shown(&target.entity, &record, attributes)
    }

    fn query(&mut self, question: &Question<'_>) -> Result<Vec<Shown>, No> {
        let top = question.top.map(|top| top.to_string());
        let options = [("$filter", question.filter), ("$orderby", question.order), ("$top", top.as_deref())];
        let options = options.iter().filter_map(|(name, text)| Some(format!("{name}={}", escaped((*text)?))));
        let query = options.collect::<Vec<_>>().join("&");
        let path = format!("{DATA}/{}?{query}", self.entities.set(question.entity)?);
        let answer = self.client.get(&path).map_err(no)?;
        let primary = self.entities.entity(question.entity)?["primary"].as_str().unwrap_or_default();
        let primary = [SmolStr::from(primary)];
        let attributes = if question.attributes.is_empty() { &primary[..] } else { question.attributes };
        let records = answer["value"].as_array().into_iter().flatten();
        records.map(|record| self.shown(question.entity, record, attributes)).collect()
    }

    fn find(&mut self, entity: &str, name: &str) -> Result<Option<Target>, No> {
        let primary = self.entities.entity(entity)?["primary"].as_str().unwrap_or_default().to_owned();
        let filter = format!("{primary} eq '{}'", name.replace('\'', "''"));
        let question = Question { entity, filter: Some(&filter), order: None, top: Some(2), attributes: &[] };
        match self.query(&question)?.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.target.clone())),
            _ => Err(No::new("not-unique", format!("several of `{entity}` are called `{name}`"))),
        }
    }

    fn run(&mut self, process: &str, record: &Target, inputs: &[(SmolStr, Given)]) -> Result<Uuid, No> {
        let path = format!("/api/v1/processes/{}/run", escaped(process));
        let body = json!({"record": format!("{}/{}", record.entity, record.id), "inputs": arguments(inputs)});
        uuid(&self.client.post(&path, &body).map_err(no)?["job"])
    }

    fn call(
        &mut self,
        action: &str,
        target: Option<&Target>,
        inputs: &[(SmolStr, Given)],
    ) -> Result<Vec<(SmolStr, Piece)>, No> {
        let target = target.map(|target| format!("{}/{}", target.entity, target.id));
        let body = json!({"target": target, "inputs": arguments(inputs)});
        let answer = self.client.post(&format!("/api/v1/actions/{}", escaped(action)), &body).map_err(no)?;
        let outputs = answer["outputs"].as_object().into_iter().flatten();
        Ok(outputs.map(|(name, value)| (name.as_str().into(), Piece::Text(value.to_string()))).collect())
    }

    fn migrate(&mut self, migrating: &Migrating<'_>) -> Result<Vec<Vec<Piece>>, No> {
        let Migrating { process, from, to, map, preview } = *migrating;
        let map: Map<String, Json> = map.iter().map(|(old, new)| (old.to_string(), json!(new.as_str()))).collect();
        let mut body = json!({"from": from, "to": to, "map": map, "preview": preview});
        let path = format!("/api/v1/processes/{}/migrate", escaped(process));
        let mut lines = Vec::new();
        loop {
            let answer = self.client.post(&path, &body).map_err(no)?;
            for job in answer["jobs"].as_array().into_iter().flatten() {
                let told = match job["why_not"].as_str() {
                    Some(why) => format!(" stays: {why}"),
                    None => format!(" from version {} to {}", job["version"], answer["to"]),
                };
                lines.push(vec![Piece::Job(uuid(&job["job"])?), Piece::Text(told)]);
            }
            match &answer["next"] {
                Json::Null => return Ok(lines),
                next => body["cursor"] = next.clone(),
            }
        }
    }

    fn attempt(
        &mut self,
        process: &str,
        record: &Target,
        inputs: &[(SmolStr, Given)],
        until: Option<Timestamp>,
        branches: &[u16],
    ) -> Result<Vec<Vec<Piece>>, No> {
        let path = format!("/api/v1/processes/{}/try", escaped(process));
        let body = json!({
            "record": format!("{}/{}", record.entity, record.id),
            "inputs": arguments(inputs),
            "until": until.map(|until| until.to_string()),
            "branches": branches,
        });
        let answer = self.client.post(&path, &body).map_err(no)?;
        Ok(crate::cli::process::tried(&answer).into_iter().map(|line| vec![Piece::Text(line)]).collect())
    }

    fn explain(
        &mut self,
        process: &str,
        record: &Target,
        event: Option<&str>,
        attributes: &[SmolStr],
    ) -> Result<Vec<String>, No> {
        let (process, names) = (escaped(process), escaped(&attributes.join(",")));
        let mut path = format!("/api/v1/processes/{process}/explain?record={}/{}", record.entity, record.id);
        let options = [("event", event.unwrap_or_default()), ("attributes", names.as_str())];
        options.iter().filter(|(_, text)| !text.is_empty()).for_each(|(name, text)| {
            path.push_str(&format!("&{name}={text}"));
        });
        let answer = self.client.get(&path).map_err(no)?;
        let mut lines = vec![answer["event"].as_str().unwrap_or_default().to_owned()];
        for check in answer["checks"].as_array().into_iter().flatten() {
            let text = |name: &str| check[name].as_str().unwrap_or_default();
            let mark = if check["passed"] == Json::Bool(true) { "yes" } else { "no " };
            lines.push(format!("{mark} {}: {}", text("check"), text("says")));
        }
        Ok(lines)
    }

    fn flow(&mut self, record: &Target, asked: &FlowAsk) -> Result<Vec<String>, No> {
        self.ask_flow(record, asked)
    }

    fn task(&mut self, record: &Target, asked: &TaskAsk) -> Result<Vec<String>, No> {
        self.ask_task(record, asked)
    }

    fn import(&mut self, file: &str, entity: Option<&str>, key: Option<&str>) -> Result<Imported, No> {
        let import = Import::plain(PathBuf::from(file), entity.map(str::to_owned), key.map(str::to_owned));
        let done = import.send(&self.client).map_err(no)?;
        Ok(Imported {
            created: done.created as u64,
            updated: done.updated as u64,
            unchanged: done.unchanged as u64,
            refused: done.failed,
        })
    }

    fn jobs(&mut self, state: Option<&str>, process: Option<&str>) -> Result<Vec<ShownJob>, No> {
        let options = [("state", state), ("process", process)];
        let options = options.iter().filter_map(|(name, text)| Some(format!("&{name}={}", escaped((*text)?))));
        let answer = self.client.get(&format!("/api/v1/jobs?top=1000{}", options.collect::<String>())).map_err(no)?;
        let mut jobs: Vec<ShownJob> =
            answer["value"].as_array().into_iter().flatten().map(job).collect::<Result<_, _>>()?;
        jobs.sort_by_key(|job| job.id);
        Ok(jobs)
    }

    fn job(&mut self, id: Uuid) -> Result<ShownJob, No> {
        let answer = self.client.get(&format!("/api/v1/jobs/{id}")).map_err(no)?;
        let lines = answer["log"].as_array().into_iter().flatten();
        let lines = lines.map(|line| line["text"].as_str().unwrap_or_default().to_owned());
        let branches = answer["waits"]["branches"].as_array().into_iter().flatten();
        let branches = branches
            .zip(1..)
            .map(|(branch, number)| format!("wait branch {number}: {}", branch.as_str().unwrap_or_default()));
        let log = lines.chain(branches).map(|line| vec![Piece::Text(line)]).collect();
        Ok(ShownJob { log, ..job(&answer)? })
    }

    fn order(&mut self, job: Uuid, order: Order) -> Result<(), No> {
        crate::cli::job::order(&self.client, &job.to_string(), order).map(drop).map_err(no)
    }
}

fn job(json: &Json) -> Result<ShownJob, No> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let record = text("record").and_then(|record| {
        let (entity, id) = record.split_once('/')?;
        Some(Target { entity: entity.into(), id: id.parse().ok()? })
    });
    Ok(ShownJob {
        id: uuid(&json["id"])?,
        process: text("process").unwrap_or_default().into(),
        record,
        state: text("state").unwrap_or_default().into(),
        reason: text("reason"),
        log: Vec::new(),
    })
}

/// A right as clients of the data service write it.
fn right(word: &str) -> Result<String, No> {
    let known = Privilege::from_word(word).filter(|privilege| *privilege != Privilege::Create);
    let known = known.ok_or_else(|| {
        No::new("unreadable", format!("the right cannot be read: `{word}` is none that sharing gives"))
    })?;
    // prvAppendTo becomes AppendToAccess.
    Ok(format!("{}Access", known.api_name("").trim_start_matches("prv")))
}

/// What a line gives a process, as its declaration reads it.
pub(super) fn arguments(inputs: &[(SmolStr, Given)]) -> Json {
    let value = |given: &Given| match given {
        Given::Empty => Json::Null,
        Given::Bare(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str())),
        Given::Text(text) => Json::from(text.as_str()),
        Given::Record(target) => Json::from(format!("{}/{}", target.entity, target.id)),
    };
    inputs.iter().map(|(name, given)| (name.to_string(), value(given))).collect::<serde_json::Map<_, _>>().into()
}

/// What is shown of an attribute; nothing where it is empty.
fn piece(entity: &Json, attribute: &Json, record: &Json) -> Option<Piece> {
    let name = attribute["name"].as_str()?;
    if attribute["type"] != "lookup" {
        let value = record.get(name).filter(|value| !value.is_null())?;
        return Some(Piece::Text(Entities::shown(entity, attribute, value)));
    }
    let property = format!("_{name}_value");
    let id = record.get(&property)?.as_str()?.parse().ok()?;
    let annotation = format!("{property}@Microsoft.Dynamics.CRM.lookuplogicalname");
    let target = record[annotation.as_str()].as_str().or_else(|| attribute["to"][0].as_str())?;
    Some(Piece::Record(Target { entity: target.into(), id }))
}

fn uuid(json: &Json) -> Result<Uuid, No> {
    let text = json.as_str().unwrap_or_default();
    text.parse().map_err(|_| No::new("fault", format!("the daemon sent `{text}` where an id was expected")))
}

/// A refusal of the daemon with its code.
pub(super) fn no(trouble: Trouble) -> No {
    No::new(trouble.code.unwrap_or("fault".to_owned()), trouble.message)
}
