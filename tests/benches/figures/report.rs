//! The figures as a table for people and as JSON for programs.

use std::fmt::Write as _;

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// The workload it belongs to, with what distinguishes it: `P1 256 in flight`.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What is asked for, in the same unit, if anything is.
    pub target: Option<Target>,
    /// What the machine gives for the same work without us, in the same unit.
    pub ceiling: Option<f64>,
}

/// What is asked of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Target {
    fn bound(self) -> f64 {
        match self {
            Self::AtLeast(bound) | Self::AtMost(bound) => bound,
        }
    }

    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::AtLeast(_) => ">=",
            Self::AtMost(_) => "<=",
        }
    }
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Report(Vec<Figure>);

impl Report {
    /// Adds a figure and shows it at once: a long run should be worth watching.
    pub fn add(&mut self, figure: Figure) {
        eprintln!("  {}: {} {}", figure.name, number(figure.value), figure.unit);
        self.0.push(figure);
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<44} {:>12} {:<14} {:>14} {:>7} {:>12}\n",
            "figure", "value", "unit", "target", "holds", "ceiling"
        );
        for figure in &self.0 {
            let target = figure.target.map(|target| format!("{} {}", target.sign(), number(target.bound())));
            let holds = figure.target.map(|target| if target.holds(figure.value) { "yes" } else { "NO" });
            let _ = writeln!(
                text,
                "{:<44} {:>12} {:<14} {:>14} {:>7} {:>12}",
                figure.name,
                number(figure.value),
                figure.unit,
                target.unwrap_or_default(),
                holds.unwrap_or_default(),
                figure.ceiling.map(number).unwrap_or_default()
            );
        }
        text
    }

    /// The same as JSON, by name.
    pub fn json(&self) -> String {
        let entries = self.0.iter().map(|figure| {
            let mut entry = serde_json::json!({ "value": figure.value, "unit": figure.unit });
            if let Some(target) = figure.target {
                entry["target"] = target.bound().into();
                entry["holds"] = target.holds(figure.value).into();
            }
            if let Some(ceiling) = figure.ceiling {
                entry["ceiling"] = ceiling.into();
            }
            (figure.name.clone(), entry)
        });
        let all: serde_json::Map<_, _> = entries.collect();
        serde_json::Value::Object(all).to_string()
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
