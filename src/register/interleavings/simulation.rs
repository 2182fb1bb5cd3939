//! The services of a registration in memory. Every call of a run waits until the scheduler lets the run go on.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aws_smithy_types::DateTime;

use super::fixtures::{GROUP_ARN, package, source_description};
use super::turns::{Sleep, Turn};
use super::world::{Broken, InFlight, World, arn};
use crate::aws::error::{CallError, Kind, Side};
use crate::aws::registry::{NotCreated, Summary};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::claim::{Claim, ClaimSeen, LEASE};
use crate::model::field::Document;
use crate::register::services::{ClaimStore, Registry, SourceVersions};

/// What a run gets whose request to register a version was under way for too long.
pub const NO_RESPONSE: &str = "no response in time";

/// What SageMaker says of a request that it refuses.
pub const REFUSED: &str = "the request is refused";

/// What a run says whose group is held.
pub const HELD: &str = "the group is held";

/// The services, as one run sees them.
#[derive(Clone)]
pub struct Simulation {
    pub world: Arc<Mutex<World>>,
    pub run: usize,
}

impl Simulation {
    pub fn locked(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no run panics")
    }

    /// Waits for the scheduler, then logs a call.
    async fn call(&self, name: impl Into<String>) -> MutexGuard<'_, World> {
        Turn { world: &self.world, asked: None }.await;
        let mut world = self.locked();
        let line = format!("{:?}: run {} {}", world.now, self.run, name.into());
        world.log.push(line);
        world
    }

    /// Stops the time of this run, if the world is broken in this way.
    fn hold(&self) {
        let mut world = self.locked();
        let now = world.now;
        if world.broken == Broken::Hold {
            world.holding.insert(self.run, now);
        }
    }

    /// The claim with the highest number, as the listing of a folder shows it.
    pub async fn newest_claim(&self) -> Result<Option<ClaimSeen>, CallError> {
        let newest = {
            let world = self.call("lists claims").await;
            world.claims.keys().last().map(|number| (*number, world.released.contains(number)))
        };
        let Some((number, is_released)) = newest else { return Ok(None) };
        let read = ClaimStore::read(self, number).await?;
        Ok(read.map(|claim| ClaimSeen { is_released, ..claim }))
    }
}

impl Registry for Simulation {
    async fn list_created_after(&self, _: &GroupName, _: &DateTime) -> Result<Vec<Summary>, CallError> {
        let mut world = self.call("lists").await;
        let listed = world.listed();
        Ok(listed.into_iter().map(|number| summary(number, &world.versions[&number].description)).collect())
    }

    async fn describe(&self, version: &PackageArn) -> Result<Document, CallError> {
        let mut world = self.call(format!("describes {}", version.version())).await;
        world.described(version.version()).ok_or_else(absent)
    }

    async fn create(&self, request: &Document) -> Result<PackageArn, NotCreated> {
        let number = {
            let mut world = self.locked();
            let sent = world.now;
            world.writes(self.run, "registers a version");
            world.holding.remove(&self.run);
            world.in_flight.push(InFlight { run: self.run, sent, request: request.clone(), ended: false });
            world.in_flight.len() - 1
        };
        let mut world = self.call("creates").await;
        if std::mem::replace(&mut world.in_flight[number].ended, true) {
            return Err(error(Kind::Unavailable, NO_RESPONSE).into());
        }
        if world.refusals > 0 && world.choices.pick(2) == 1 {
            world.refusals -= 1;
            // An earlier request of a broken run is still under way.
            world.in_flight[number].ended = world.broken != Broken::Release;
            world.log.push("it is refused".to_owned());
            return Err(NotCreated { error: error(Kind::Invalid, REFUSED), is_refused: true });
        }
        let now = world.now;
        let number = world.add_version(request.clone(), now);
        Ok(arn(number).parse().expect("an ARN"))
    }

    async fn update(&self, version: &PackageArn, changes: &Document) -> Result<(), CallError> {
        let mut world = self.call(format!("updates {} {changes:?}", version.version())).await;
        if ApprovalStatus::of(changes) == ApprovalStatus::Approved {
            world.writes(self.run, "approves a version");
        }
        if world.update(version.version(), changes) { Ok(()) } else { Err(absent()) }
    }

    async fn delete(&self, version: &PackageArn) -> Result<(), CallError> {
        self.call(format!("deletes {}", version.version())).await.delete(version.version());
        Ok(())
    }

    fn now(&self) -> Instant {
        let world = self.locked();
        world.start + world.holding.get(&self.run).copied().unwrap_or(world.now)
    }

    async fn sleep(&self, pause: Duration) {
        let until = self.locked().now + pause;
        Sleep { world: &self.world, until }.await;
    }
}

impl SourceVersions for Simulation {
    async fn describe(&self, _: &PackageArn) -> anyhow::Result<Document> {
        let is_held = self.call("describes the source").await.is_held_now(self.run);
        anyhow::ensure!(!is_held, HELD);
        Ok(source_description())
    }
    async fn refuse_held(&self) -> anyhow::Result<()> {
        let is_held = self.call("looks for a hold").await.is_held_now(self.run);
        anyhow::ensure!(!is_held, HELD);
        Ok(())
    }
}

impl ClaimStore for Simulation {
    async fn write(&self, number: u32, claim: &Claim) -> Result<bool, CallError> {
        self.hold();
        let free = {
            let mut world = self.call(format!("claims {number}")).await;
            let now = world.now;
            let free = !world.claims.contains_key(&number);
            if free {
                world.claims.insert(number, (claim.clone(), now));
            }
            free || world.broken == Broken::Claims
        };
        // The response may be late.
        let mut world = self.call(format!("has claimed {number}: {free}")).await;
        if !free {
            world.holding.remove(&self.run);
        }
        Ok(free)
    }

    async fn read(&self, number: u32) -> Result<Option<ClaimSeen>, CallError> {
        let seen = {
            let world = self.call(format!("reads claim {number}")).await;
            let age = |written: Duration| if world.broken == Broken::Lease { LEASE } else { world.now - written };
            world.claims.get(&number).map(|(claim, written)| (claim.clone(), age(*written)))
        };
        Ok(seen.map(|(claim, age)| ClaimSeen {
            number,
            claim: Some(claim),
            age,
            read: Registry::now(self),
            is_released: false,
        }))
    }

    async fn release(&self, number: u32, _: &Claim) -> Result<(), CallError> {
        self.call(format!("releases {number}")).await.released.insert(number);
        Ok(())
    }

    async fn is_released(&self, number: u32) -> Result<bool, CallError> {
        Ok(self.call(format!("looks whether {number} is released")).await.released.contains(&number))
    }
}

fn summary(number: u32, description: &Document) -> Summary {
    let arn: PackageArn = arn(number).parse().expect("an ARN");
    let approval = ApprovalStatus::of(description);
    Summary { arn, version: number, approval, status: "Completed".into(), created: package().created() }
}

fn absent() -> CallError {
    error(Kind::NotFound, "does not exist")
}

fn error(kind: Kind, message: &str) -> CallError {
    CallError {
        side: Side::Target,
        call: "sagemaker:Simulated",
        resource: GROUP_ARN.into(),
        kind,
        code: None,
        message: message.into(),
        request_id: None,
        bucket_region: None,
        hint: "Run again".into(),
    }
}
