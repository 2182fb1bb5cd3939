//! The futures that simulated calls wait for.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use super::world::World;

/// Waits until the scheduler polls the run again, and gives the run one call for each time it is polled.
pub struct Turn<'a> {
    pub world: &'a Mutex<World>,
    /// The step in which the run asked.
    pub asked: Option<u64>,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock().expect("no run panics");
        let asked = *self.asked.get_or_insert(world.step);
        if world.step > asked && std::mem::take(&mut world.may_call) {
            return Poll::Ready(());
        }
        world.wants_to_call = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits until a time.
pub struct Sleep<'a> {
    pub world: &'a Mutex<World>,
    pub until: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock().expect("no run panics");
        if world.now >= self.until {
            return Poll::Ready(());
        }
        world.sleeps_until = Some(world.sleeps_until.map_or(self.until, |other| other.min(self.until)));
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
