//! The rules of flows on one record, said as plainly as can be: what the engine is compared with.

use super::{
    Begin, Event, Level, Step,
    land::{FLOWS, ORDERS, USERS},
};

/// Refused with this code, or done.
pub(super) type Told = Result<(), &'static str>;
/// The flow, the stages gone through, how it stands (a status), whether it is pinned.
pub(super) type Seen = Option<(usize, Vec<usize>, i32, bool)>;

#[derive(Clone, Debug)]
struct Instance {
    /// The stages gone through.
    path: Vec<usize>,
    status: i32,
    last_change: u64,
    /// An instance that is started again is another one.
    life: u64,
}

pub(super) struct Account {
    levels: [[Level; FLOWS]; USERS],
    active: [bool; FLOWS],
    instances: [Option<Instance>; FLOWS],
    pins: [Option<(usize, u64)>; USERS],
    amount: u8,
    reason: bool,
    tick: u64,
}

impl Account {
    pub fn new(levels: [[Level; FLOWS]; USERS]) -> Self {
        Self {
            levels,
            active: [true; FLOWS],
            instances: Default::default(),
            pins: [None; USERS],
            amount: 0,
            reason: false,
            tick: 0,
        }
    }

    /// T1, T2, T12, T17.
    pub fn create(&mut self, user: usize, begin: Begin) -> Told {
        let flow = match begin {
            Begin::Nothing => return Ok(()),
            Begin::This(flow) => flow,
            Begin::Default => {
                let startable = (0..FLOWS).filter(|flow| self.levels[user][*flow] == Level::Use);
                match startable.min_by_key(|flow| (ORDERS[*flow], *flow)) {
                    None => return Ok(()),
                    Some(flow) => flow,
                }
            }
        };
        self.start(user, flow)
    }

    pub fn happen(&mut self, event: Event) -> Told {
        match event {
            Event::View(user) => {
                self.pins[user] = self.resolved(user);
                Ok(())
            }
            Event::Switch(user, flow) => self.switch(user, flow),
            Event::Start(user, flow) => self.start(user, flow),
            Event::Go(user, flow, step) => self.go(user, flow, step),
            Event::Grant(user, flow, level) => {
                self.levels[user][flow] = level;
                Ok(())
            }
            Event::Amount(amount) => {
                self.amount = amount;
                Ok(())
            }
            Event::Reason(reason) => {
                self.reason = reason;
                Ok(())
            }
            Event::Delete(flow) => {
                self.instances[flow] = None;
                Ok(())
            }
            Event::Activate(flow, active) => {
                self.active[flow] = active;
                Ok(())
            }
        }
    }

    /// What a view would show, and whether that is by a pin.
    pub fn look(&self, user: usize) -> Seen {
        let (flow, life) = self.resolved(user)?;
        let instance = self.instances[flow].as_ref()?;
        Some((flow, instance.path.clone(), instance.status, self.pins[user] == Some((flow, life))))
    }

    /// T3 to T9, T13, T15.
    fn resolved(&self, user: usize) -> Option<(usize, u64)> {
        let visible = |flow: usize| self.levels[user][flow] >= Level::View;
        let alive = |flow: usize| self.instances[flow].as_ref();
        if let Some((flow, life)) = self.pins[user]
            && visible(flow)
            && alive(flow).is_some_and(|instance| instance.life == life)
        {
            return Some((flow, life));
        }
        let there = (0..FLOWS).filter(|flow| visible(*flow)).filter_map(|flow| Some((flow, alive(flow)?)));
        let newest = there.max_by_key(|(_, instance)| instance.last_change)?;
        Some((newest.0, newest.1.life))
    }

    /// T10, T11, T14.
    fn switch(&mut self, user: usize, flow: usize) -> Told {
        if !self.active[flow] {
            return Err("process-inactive");
        }
        match self.instances[flow] {
            Some(_) if self.levels[user][flow] < Level::View => return Err("missing-privilege"),
            Some(_) => {}
            None => self.start(user, flow)?,
        }
        self.pins[user] = self.instances[flow].as_ref().map(|instance| (flow, instance.life));
        Ok(())
    }

    fn start(&mut self, user: usize, flow: usize) -> Told {
        if !self.active[flow] {
            return Err("process-inactive");
        }
        if self.levels[user][flow] == Level::Nothing {
            return Err("missing-privilege");
        }
        if self.instances[flow].is_some() {
            return Err("exists");
        }
        if self.levels[user][flow] < Level::Use {
            return Err("missing-privilege");
        }
        self.tick += 1;
        let instance = Instance { path: vec![0], status: 1, last_change: self.tick, life: self.tick };
        self.instances[flow] = Some(instance);
        Ok(())
    }

    /// The stage that comes next: qualify leads to approve or develop, approve to develop, develop to the end.
    fn onward(&self, stage: usize) -> Option<usize> {
        match stage {
            0 if self.amount == 2 => Some(1),
            0 | 1 => Some(2),
            _ => None,
        }
    }

    /// Whether what the stage asks for is filled: an amount to qualify, a reason to develop.
    fn is_filled(&self, stage: usize) -> bool {
        match stage {
            0 => self.amount > 0,
            2 => self.reason,
            _ => true,
        }
    }

    /// T14, T16, T19, T20.
    fn go(&mut self, user: usize, flow: usize, step: Step) -> Told {
        let Some(mut instance) = self.instances[flow].clone() else { return Ok(()) };
        if self.levels[user][flow] < Level::Use {
            return Err("missing-privilege");
        }
        if !self.active[flow] && step != Step::Abandon {
            return Err("process-inactive");
        }
        let at = instance.path.last().copied().unwrap_or(0);
        let before = instance.path.iter().position(|gone| step == Step::Set(*gone));
        let forward = |to: usize| match self.is_filled(at) {
            true => Ok(to),
            false => Err("stage-gate"),
        };
        match step {
            Step::Reactivate if instance.status == 1 => return Ok(()),
            Step::Reactivate => instance.status = 1,
            _ if instance.status != 1 => return Err("instance-not-active"),
            Step::Abandon => instance.status = 3,
            Step::Finish if self.onward(at).is_some() => return Err("not-adjacent"),
            Step::Finish => {
                forward(at)?;
                instance.status = 2;
            }
            Step::Next => instance.path.push(forward(self.onward(at).ok_or("end")?)?),
            Step::Back if instance.path.len() == 1 => return Err("not-adjacent"),
            Step::Back => drop(instance.path.pop()),
            Step::Set(to) if to == at => return Ok(()),
            Step::Set(to) => match before {
                Some(place) => instance.path.truncate(place + 1),
                None if self.onward(at) == Some(to) => instance.path.push(forward(to)?),
                None => return Err("not-adjacent"),
            },
        }
        self.tick += 1;
        instance.last_change = self.tick;
        self.instances[flow] = Some(instance);
        Ok(())
    }
}
