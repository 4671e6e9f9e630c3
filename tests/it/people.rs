//! Users, teams, roles and business units by command line, as an administrator types them; what a user may do, explained;
//! what happened, listed.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::daemon::Daemon;

struct Town {
    daemon: Daemon,
    directory: tempfile::TempDir,
}

impl Town {
    fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        Ok(Self { daemon: Daemon::start(&directory.path().join("data"))?, directory })
    }

    /// What a command answers to a program.
    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let told = self.daemon.command(&[arguments, &["--output", "json"]].concat())?;
        serde_json::from_str(&told).with_context(|| told)
    }

    /// What a command that is refused says, and its exit code.
    fn refused(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let output = self.daemon.program(arguments).env("NO_COLOR", "1").output()?;
        ensure!(!output.status.success(), "{arguments:?} was done");
        Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

fn names(list: &Value, attribute: &str) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(|one| one[attribute].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn people_are_made_listed_shown_and_disabled() -> Result<()> {
    let town = Town::new()?;
    town.daemon.command(&["unit", "create", "North"])?;
    town.daemon.command(&["unit", "create", "Harbour", "--parent", "North"])?;
    town.daemon.command(&["team", "create", "Clerks", "--role", "Salesperson", "--business-unit", "North"])?;
    let create = ["user", "create", "Ada Berg", "--login", "ada", "--email", "ada@example.com"];
    let with = ["--role", "Scheduler", "--team", "Clerks", "--business-unit", "Harbour"];
    town.daemon.command(&[&create[..], &with[..]].concat())?;
    let ada = town.json(&["user", "show", "Ada Berg"])?;
    assert_eq!(ada["domainname"], "ada");
    assert_eq!(names(&ada["systemuserroles_association"], "name"), ["Scheduler"]);
    assert_eq!(names(&ada["teammembership_association"], "name"), ["Clerks"]);
    assert_eq!(ada["_businessunitid_value@OData.Community.Display.V1.FormattedValue"], "Harbour");
    assert_eq!(town.json(&["user", "show", "ada"])?["systemuserid"], ada["systemuserid"], "also by her login");
    town.daemon.command(&["user", "give", "ada", "--role", "Salesperson"])?;
    town.daemon.command(&["user", "take", "ada", "--role", "Scheduler"])?;
    let shown = town.daemon.command(&["user", "show", "ada"])?;
    ensure!(shown.contains("Salesperson") && !shown.contains("Scheduler"), "{shown}");
    town.daemon.command(&["user", "disable", "ada"])?;
    let listed = town.json(&["user", "list"])?;
    let disabled = listed["value"].as_array().into_iter().flatten().filter(|user| user["isdisabled"] == true);
    assert_eq!(disabled.map(|user| user["fullname"].clone()).collect::<Vec<_>>(), [json!("Ada Berg")]);
    town.daemon.command(&["user", "enable", "ada"])?;
    let team = town.json(&["team", "show", "Clerks"])?;
    assert_eq!(names(&team["teammembership_association"], "fullname"), ["Ada Berg"]);
    town.daemon.command(&["team", "remove", "Clerks", "--member", "ada"])?;
    let team = town.json(&["team", "show", "Clerks"])?;
    assert_eq!(names(&team["teammembership_association"], "fullname"), Vec::<String>::new());
    town.daemon.command(&["unit", "move", "Harbour", "--parent", "Organisation"])?;
    let units = town.daemon.command(&["unit", "list"])?;
    ensure!(units.lines().any(|line| line.trim().starts_with("Harbour") && line.contains("Organisation")), "{units}");
    let roles = town.json(&["role", "list"])?;
    assert_eq!(roles["value"].as_array().map(Vec::len), Some(13), "the default roles");
    let role = town.json(&["role", "show", "Salesperson"])?;
    assert_eq!(role["tasks"], json!(["execute-workflow-job"]));
    assert_eq!(role["privileges"]["workflow"]["create"], "user");
    Ok(())
}

#[test]
fn what_is_not_there_or_in_use_is_refused_in_words() -> Result<()> {
    let town = Town::new()?;
    let half = ["user", "create", "Ben", "--role", "Salesperson", "--role", "Saleperson"];
    let (code, talk) = town.refused(&half)?;
    ensure!(code == Some(4) && talk.contains("there is no role `Saleperson`"), "{code:?} {talk}");
    let (code, talk) = town.refused(&["user", "show", "Ben"])?;
    ensure!(code == Some(4) && talk.contains("there is no user `Ben`"), "nothing of him is left: {talk}");
    town.daemon.command(&["unit", "create", "North"])?;
    town.daemon.command(&["user", "create", "Ben", "--business-unit", "North"])?;
    let (_, talk) = town.refused(&["unit", "delete", "North"])?;
    ensure!(talk.contains("cannot be deleted: `systemuser` points to it with `businessunitid`"), "{talk}");
    let (_, talk) = town.refused(&["unit", "move", "Organisation", "--parent", "North"])?;
    ensure!(talk.contains("the root of the organisation stands above all units"), "{talk}");
    let (_, talk) = town.refused(&["user", "disable", "Administrator"])?;
    ensure!(talk.contains("left without an administrator"), "{talk}");
    Ok(())
}

#[test]
fn access_is_explained_by_roles_teams_and_shares() -> Result<()> {
    let town = Town::new()?;
    town.daemon.command(&["team", "create", "Clerks", "--role", "Salesperson"])?;
    town.daemon.command(&["user", "create", "Ada", "--team", "Clerks", "--role", "Customer Service Representative"])?;
    let (status, _) = town.daemon.post("/api/data/v9.2/accounts", &json!({"name": "Quay"}))?;
    assert_eq!(status, 204);
    let quay = town.daemon.all("/api/data/v9.2/accounts?$select=name")?;
    let record = format!("account/{}", quay[0]["accountid"].as_str().context("an id")?);
    let explain = ["access", "explain", "--user", "Ada", "--record", &record];
    let table = town.daemon.command(&explain)?;
    let line = |word: &str| table.lines().find(|line| line.trim().starts_with(word)).unwrap_or_default().to_owned();
    ensure!(line("read").contains("yes") && line("read").contains("Salesperson"), "{table}");
    ensure!(line("read").contains("Clerks"), "through which team: {table}");
    ensure!(line("delete").contains("no") && line("delete").contains("Missing prvDeleteAccount"), "{table}");
    let explained = town.json(&explain)?;
    assert_eq!(explained["user"], "Ada");
    let shell = format!("share {record} with=systemuser/Ada rights=delete\n");
    let file = town.directory.path().join("share.txt");
    fs::write(&file, shell)?;
    town.daemon.command(&["shell", &file.display().to_string()])?;
    let table = town.daemon.command(&explain)?;
    let line = table.lines().find(|line| line.trim().starts_with("delete")).unwrap_or_default();
    ensure!(line.contains("yes") && line.contains("shar"), "{table}");
    Ok(())
}

#[test]
fn a_process_is_switched_and_given_away_and_the_audit_tells_who_did() -> Result<()> {
    let town = Town::new()?;
    let solution = town.directory.path().join("solution");
    fs::create_dir_all(solution.join("processes"))?;
    fs::write(solution.join("solution.yaml"), "kind: solution\nname: calls\nversion: 1.0.0\nprefix: cal\n")?;
    let call = "kind: workflow\nname: call\nentity: account\nmode: background\nscope: organization\n\
                start: { create: true }\nsteps:\n  - { create: task, set: { subject: Call } }\n";
    fs::write(solution.join("processes/call.yaml"), call)?;
    town.daemon.command(&["apply", &solution.display().to_string()])?;
    assert_eq!(town.json(&["process", "deactivate", "call"])?["state"], "draft");
    town.daemon.post("/api/data/v9.2/accounts", &json!({"name": "Quay"}))?;
    assert_eq!(town.json(&["process", "activate", "call"])?["state"], "active");
    assert_eq!(town.daemon.all("/api/data/v9.2/asyncoperations")?.len(), 0, "nothing started while it rested");
    town.daemon.command(&["user", "create", "Ada", "--role", "Salesperson"])?;
    let (code, talk) = town.refused(&["process", "assign", "call", "--to", "Ada"])?;
    ensure!(code == Some(6) && talk.contains("prvCreateWorkflow at organization depth"), "{code:?} {talk}");
    town.daemon.command(&["user", "give", "Ada", "--role", "CEO-Business Manager"])?;
    town.daemon.command(&["process", "assign", "call", "--to", "Ada"])?;
    let by_program = town.daemon.all("/api/data/v9.2/workflows?$filter=uniquename%20eq%20'call'")?;
    let id = by_program[0]["workflowid"].as_str().context("an id")?.to_owned();
    assert_eq!((&by_program[0]["statecode"], &by_program[0]["statuscode"]), (&json!(1), &json!(2)));
    let audit = town.daemon.command(&["audit", "list", "--record", &format!("workflow/{id}")])?;
    for part in ["status", "assign", "create", "statecode: 1 -> 0", "Administrator"] {
        ensure!(audit.contains(part), "`{part}`: {audit}");
    }
    Ok(())
}
