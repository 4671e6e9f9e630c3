//! `stepwise job list|show|watch`, and the orders: `cancel|terminate|pause|resume|postpone|retry`

use std::time::{Duration, Instant};

use clap::Subcommand;
use model::{
    Timestamp,
    job::{Order, Retry},
};
use serde_json::{Value as Json, json};

use super::{Connection, import::bar};
use crate::{
    client::Client,
    output::{self, say},
    trouble::{Exit, Trouble},
};

/// Jobs: background runs of processes.
#[derive(Debug, Subcommand)]
pub enum Job {
    /// List jobs, the newest first
    List {
        /// ready, waiting, suspended, paused, postponed, succeeded, failed or canceled
        #[arg(long)]
        state: Option<String>,
        /// Of this process
        #[arg(long)]
        process: Option<String>,
        /// On this record: ENTITY/ID
        #[arg(long)]
        record: Option<String>,
        /// The most jobs
        #[arg(long, default_value_t = 50)]
        top: u32,
    },
    /// Show a job with its run log
    Show {
        /// The job's id
        id: String,
    },
    /// Wait until a job, or every job, has ended; fails when one failed
    Watch {
        /// The job's id; without one all jobs are waited for
        id: Option<String>,
        /// Seconds to wait at most
        #[arg(long, default_value_t = 600)]
        timeout: u64,
    },
    /// End a job before its end; what its step is doing is undone
    Cancel {
        /// The job's id
        id: String,
    },
    /// End a job that nothing else helps, whatever became of its row, its definition and its plugins
    Terminate {
        /// The job's id
        id: String,
    },
    /// Let a job rest where it stands
    Pause {
        /// The job's id
        id: String,
    },
    /// Let a job go on that is suspended, paused or postponed
    Resume {
        /// The job's id
        id: String,
    },
    /// Let a job go on at a later time
    Postpone {
        /// The job's id
        id: String,
        /// A moment such as 2026-11-20T09:00:00Z
        #[arg(long)]
        until: String,
    },
    /// Give an order to every job of a state, a process or a record
    Bulk {
        /// cancel, terminate, pause, resume or retry
        order: String,
        /// Those in this state
        #[arg(long)]
        state: Option<String>,
        /// Of this process
        #[arg(long)]
        process: Option<String>,
        /// On this record: ENTITY/ID
        #[arg(long)]
        record: Option<String>,
        /// `retry`: from the start, not from the step that failed
        #[arg(long)]
        from_start: bool,
    },
    /// Try a job again that failed, was canceled or is suspended
    Retry {
        /// The job's id
        id: String,
        /// From its start, not from the step that failed
        #[arg(long)]
        from_start: bool,
        /// With the version of its process that holds now
        #[arg(long)]
        newest: bool,
    },
}

/// How long the daemon is left alone between two looks: counting costs it the more the more jobs there are.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Job {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        match self {
            Self::List { state, process, record, top } => {
                let mut path = format!("/api/v1/jobs?top={top}");
                for (name, value) in [("state", state), ("process", process), ("record", record)] {
                    if let Some(value) = value {
                        path.push_str(&format!("&{name}={}", escaped(value)));
                    }
                }
                list(&pages(&client, &path, *top)?, connection)
            }
            Self::Show { id } => show(&client.get(&format!("/api/v1/jobs/{}", escaped(id)))?, connection),
            Self::Watch { id: Some(id), timeout } => watch_one(&client, id, *timeout, connection),
            Self::Watch { id: None, timeout } => {
                let counts = wait_for_all(&client, Duration::from_secs(*timeout))?;
                connection.output.text(&told(&counts), &counts)?;
                failed(&counts)
            }
            Self::Cancel { id } => ordered(&client, connection, id, Order::Cancel),
            Self::Terminate { id } => ordered(&client, connection, id, Order::Terminate),
            Self::Pause { id } => ordered(&client, connection, id, Order::Pause),
            Self::Resume { id } => ordered(&client, connection, id, Order::Resume),
            Self::Postpone { id, until } => {
                let moment = Timestamp::parse(until);
                let wrong =
                    || Trouble::new(Exit::Usage, format!("`{until}` is no moment such as 2026-11-20T09:00:00Z"));
                ordered(&client, connection, id, Order::Postpone(moment.ok_or_else(wrong)?))
            }
            Self::Bulk { order, state, process, record, from_start } => {
                let options = if *from_start { json!({"from": "start"}) } else { json!({}) };
                let wanted = [("state", state), ("process", process), ("record", record)];
                let filter: serde_json::Map<_, _> = wanted
                    .iter()
                    .filter_map(|(name, text)| Some(((*name).to_owned(), json!(text.as_ref()?))))
                    .collect();
                let body = json!({"operation": order, "filter": filter, "options": options});
                bulk(&client, connection, body)
            }
            Self::Retry { id, from_start, newest } => {
                let retry = match (from_start, newest) {
                    (true, true) => Retry::Newest,
                    (false, true) => Retry::StepOnNewest,
                    (true, false) => Retry::Start,
                    (false, false) => Retry::Step,
                };
                ordered(&client, connection, id, Order::Retry(retry))
            }
        }
    }
}

/// Slice by slice, with what was reached so far beside the bar.
fn bulk(client: &Client, connection: &Connection, mut body: Json) -> Result<(), Trouble> {
    let bar = bar(0, "jobs");
    let (mut done, mut refused) = (0, 0);
    loop {
        let answer = client.post("/api/v1/jobs/bulk", &body)?;
        done += number(&answer, "done");
        refused += number(&answer, "refused");
        bar.set_length(done + refused);
        bar.set_position(done + refused);
        match &answer["next"] {
            Json::Null => break,
            next => body["cursor"] = next.clone(),
        }
    }
    bar.finish_and_clear();
    let told =
        format!("{done} job(s) reached, {refused} left as they were: their state or your privileges do not allow it");
    connection.output.text(&told, &json!({"done": done, "refused": refused}))
}

fn ordered(client: &Client, connection: &Connection, id: &str, wanted: Order) -> Result<(), Trouble> {
    let job = order(client, id, wanted)?;
    connection.output.text(&format!("{id} is {}", text(&job, "state")), &job)
}

/// Gives an order; the answer is the job.
pub fn order(client: &Client, id: &str, order: Order) -> Result<Json, Trouble> {
    let options = match order {
        Order::Postpone(until) => json!({"until": until.to_string()}),
        Order::Retry(Retry::Start) => json!({"from": "start"}),
        Order::Retry(Retry::StepOnNewest) => json!({"from": "step", "version": "newest"}),
        Order::Retry(Retry::Newest) => json!({"from": "start", "version": "newest"}),
        _ => json!({}),
    };
    client.post(&format!("/api/v1/jobs/{}/{}", escaped(id), order.word()), &options)
}

/// Waits until no job is ready, with a progress bar; gives the number of jobs by state.
pub fn wait_for_all(client: &Client, limit: Duration) -> Result<Json, Trouble> {
    let begun = Instant::now();
    let bar = bar(0, "running");
    let mut pause = PAUSE;
    loop {
        let counts = client.get("/api/v1/jobs/counts")?;
        let all: u64 = counts.as_object().into_iter().flatten().filter_map(|(_, number)| number.as_u64()).sum();
        let ready = number(&counts, "ready") + number(&counts, "postponed");
        bar.set_length(all);
        bar.set_position(all - ready);
        if ready == 0 {
            bar.finish_and_clear();
            return Ok(counts);
        }
        if begun.elapsed() > limit {
            bar.finish_and_clear();
            return Err(Trouble::failed(format!("{ready} job(s) have not ended after {} s", limit.as_secs()))
                .hint("stepwise job list --state ready"));
        }
        std::thread::park_timeout(pause);
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

/// Trouble if any job failed.
pub fn failed(counts: &Json) -> Result<(), Trouble> {
    match number(counts, "failed") + number(counts, "suspended") {
        0 => Ok(()),
        stuck => Err(Trouble::failed(format!("{stuck} job(s) failed or wait for a person"))
            .hint("stepwise job list --state failed")),
    }
}

/// `280 succeeded, 2 failed`
pub fn told(counts: &Json) -> String {
    let states = counts.as_object().into_iter().flatten();
    let parts =
        states.filter(|(_, number)| number.as_u64() > Some(0)).map(|(state, number)| format!("{number} {state}"));
    match parts.collect::<Vec<_>>().join(", ") {
        text if text.is_empty() => "there are no jobs".to_owned(),
        text => text,
    }
}

fn watch_one(client: &Client, id: &str, timeout: u64, connection: &Connection) -> Result<(), Trouble> {
    let begun = Instant::now();
    let path = format!("/api/v1/jobs/{}", escaped(id));
    loop {
        let job = client.get(&path)?;
        match text(&job, "state") {
            "ready" | "postponed" | "waiting" if begun.elapsed().as_secs() < timeout => {
                std::thread::park_timeout(PAUSE)
            }
            "succeeded" => return show(&job, connection),
            state => {
                show(&job, connection)?;
                return Err(Trouble::failed(format!("job {id} is {state}")));
            }
        }
    }
}

/// As many jobs as are wanted, though a page of the daemon may be short.
fn pages(client: &Client, path: &str, top: u32) -> Result<Json, Trouble> {
    let mut answer = client.get(path)?;
    let mut all = answer["value"].as_array().cloned().unwrap_or_default();
    while let Some(next) = answer["next"].as_str().filter(|_| all.len() < top as usize).map(escaped) {
        answer = client.get(&format!("{path}&cursor={next}"))?;
        all.extend(answer["value"].as_array().into_iter().flatten().cloned());
    }
    all.truncate(top as usize);
    answer["value"] = Json::Array(all);
    Ok(answer)
}

fn list(answer: &Json, connection: &Connection) -> Result<(), Trouble> {
    let jobs = answer["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    let columns = ["id", "process", "record", "state", "stage", "created_on", "reason"];
    let rows = jobs.iter().map(|job| columns.map(|column| text(job, column).to_owned()).to_vec()).collect();
    connection.output.rows(&["JOB", "PROCESS", "RECORD", "STATE", "STAGE", "CREATED", "REASON"], rows, answer)?;
    if let Some(first) = jobs.first() {
        say(&format!("next: stepwise job show {}", text(first, "id")));
    }
    Ok(())
}

fn show(job: &Json, connection: &Connection) -> Result<(), Trouble> {
    let mut lines = vec![format!("{} on {}: {}", text(job, "process"), text(job, "record"), text(job, "state"))];
    if let Some(reason) = job["reason"].as_str() {
        lines.push(format!("  {reason}"));
    }
    let at = [("stage", "in stage"), ("step", "at step")];
    let at = at.iter().filter_map(|(name, words)| Some(format!("{words} `{}`", job[*name].as_str()?)));
    match at.collect::<Vec<_>>() {
        at if at.is_empty() || job.get("waits").is_some() => {}
        at => lines.push(format!("  {}", at.join(", "))),
    }
    if let Some(waits) = job.get("waits") {
        let since = waits["since"].as_str().map(|since| format!(" since {since}")).unwrap_or_default();
        lines.push(format!("  waits at {}{since}{}", text(waits, "step"), until(waits)));
        let branches = waits["branches"].as_array().into_iter().flatten();
        lines.extend(branches.map(|branch| format!("    {}", branch.as_str().unwrap_or_default())));
    }
    for line in job["log"].as_array().into_iter().flatten() {
        lines.push(format!("  {}  {:<24} {}", text(line, "at"), text(line, "step"), text(line, "text")));
    }
    match connection.output {
        output::Output::Json => output::line(&job.to_string()),
        output::Output::Table => output::line(&lines.join("\n")),
    }
}

/// ` until TIME`; nothing where no time is waited for.
fn until(waits: &Json) -> String {
    waits["until"].as_str().map_or_else(String::new, |until| format!(" until {until}"))
}

fn number(json: &Json, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_default()
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// A piece of an address.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
