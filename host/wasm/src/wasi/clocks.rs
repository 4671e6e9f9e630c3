//! `wasi:clocks`: the step's clock. It stands still, so a second attempt does the same; sleeping moves it at once.

use model::step::HostFault;
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Lift, LinkerInstance, Lower, Resource},
};

use super::resource::Pollable;
use crate::{call::Call, fault::Stop};

/// How many moments a guest may wait for in one call.
const MOMENTS: usize = 10_000;

/// What a look at the monotonic clock costs, in nanoseconds: a guest that waits for time to pass gets there.
const LOOK: u64 = 1_000;

/// The monotonic clock of one call, and the moments that it waits for.
#[derive(Default)]
pub struct Sleep {
    now: u64,
    moments: Vec<u64>,
}

impl Sleep {
    /// Sleeps until the moment with this handle; handle 0 is now.
    pub fn until(&mut self, handle: u32) {
        let moment = (handle as usize).checked_sub(1).and_then(|place| self.moments.get(place));
        self.now = self.now.max(moment.copied().unwrap_or(0));
    }

    fn look(&mut self) -> u64 {
        self.now = self.now.saturating_add(LOOK);
        self.now
    }

    fn wait_for(&mut self, moment: u64) -> Result<Resource<Pollable>, Stop> {
        if self.moments.len() >= MOMENTS {
            return Err(Stop::new(HostFault::HostLimit, format!("it slept more than {MOMENTS} times")));
        }
        self.moments.push(moment);
        Ok(Resource::new_own(self.moments.len() as u32))
    }
}

/// A moment as WASI writes it.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Defines one function; false when there is none of that name.
pub fn define(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<bool> {
    match (interface, function) {
        ("monotonic-clock", "now") => {
            at.func_wrap(function, |mut store: StoreContextMut<'_, Call>, (): ()| Ok((store.data_mut().sleep.look(),)))
        }
        ("monotonic-clock", "resolution") => at.func_wrap(function, |_, (): ()| Ok((LOOK,))),
        ("monotonic-clock", "subscribe-instant") => at
            .func_wrap(function, |mut store: StoreContextMut<'_, Call>, (moment,): (u64,)| {
                Ok((store.data_mut().sleep.wait_for(moment)?,))
            }),
        ("monotonic-clock", "subscribe-duration") => {
            at.func_wrap(function, |mut store: StoreContextMut<'_, Call>, (length,): (u64,)| {
                let sleep = &mut store.data_mut().sleep;
                let moment = sleep.now.saturating_add(length);
                Ok((sleep.wait_for(moment)?,))
            })
        }
        ("wall-clock", "now") => at.func_wrap(function, |store: StoreContextMut<'_, Call>, (): ()| {
            let micros = store.data().facts().map_or(0, |facts| facts.context.now.as_micros());
            let micros = u64::try_from(micros).unwrap_or(0);
            Ok((Datetime { seconds: micros / 1_000_000, nanoseconds: (micros % 1_000_000) as u32 * 1_000 },))
        }),
        ("wall-clock", "resolution") => {
            at.func_wrap(function, |_, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1_000 },)))
        }
        _ => return Ok(false),
    }
    .map(|()| true)
}
