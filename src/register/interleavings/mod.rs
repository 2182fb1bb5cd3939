//! Lets 2 to 4 runs register the same version under a scheduler. Call by call, the scheduler chooses which run goes on, how
//! late a new version, an update or a deletion becomes visible, how much time passes, which run is killed, and when the
//! target group is held. After a clean run, exactly one version is registered, whatever the scheduler has chosen.
//! Claims never lag: S3 is strongly consistent (S3 User Guide, "Amazon S3 data consistency model").
//!
//! Few deviations from running one run after the other, and few kills, are tried in every possible way: the table
//! [`BOUNDS`]. More of them are tried at random, and then a call may also see a state that the next call does not see.
//! `INTERLEAVINGS=all` (`make interleavings`) tries the whole table, and 200,000 seeds; without the variable, a part of
//! the table and 4,000 seeds. `INTERLEAVINGS=17` tries one seed.

mod choices;
mod deletions;
mod duplicates;
mod fixtures;
mod scheduler;
mod simulation;
mod turns;
mod world;

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use self::choices::Choices;
use self::fixtures::{claim, group, package, request};
use self::scheduler::{Limits, drive};
use self::simulation::{HELD, NO_RESPONSE, REFUSED, Simulation};
use self::world::{Broken, World};
use super::attempt::Registering;
use super::decision::ApprovalPolicy;
use super::existing::ExistingPromotions;
use super::policy::RegistrationPolicy;
use super::registration::Registration;
use crate::model::approval::Approval;
use crate::model::promoted::DISCARDED;

/// One world and the way to schedule its runs.
#[derive(Debug, Clone, Copy)]
struct Case {
    runs: usize,
    limits: Limits,
    /// Whether client tokens are honoured.
    tokens: bool,
    broken: Broken,
    /// The ages of claims that dead runs have left, in seconds.
    dead_claims: &'static [u64],
    /// The approvals of versions that exist already, all of the same request.
    existing: &'static [&'static str],
    /// How many requests SageMaker may refuse.
    refusals: usize,
    /// How many versions SageMaker may fail to complete.
    failures: usize,
    /// How often somebody may hold the target group.
    holds: usize,
}

const NO_LIMITS: Limits = Limits { deviations: 0, kills: 0 };
const PENDING: &str = "PendingManualApproval";

const USUAL: Case = Case {
    runs: 1,
    limits: NO_LIMITS,
    tokens: false,
    broken: Broken::Nothing,
    dead_claims: &[],
    existing: &[],
    refusals: 0,
    failures: 0,
    holds: 0,
};

/// The worlds of [`BOUNDS`]. The first two are plain.
const WORLDS: [Case; 9] = [
    Case { tokens: true, ..USUAL },
    USUAL,
    Case { dead_claims: &[90], ..USUAL },
    Case { dead_claims: &[20], ..USUAL },
    Case { refusals: 1, ..USUAL },
    Case { holds: 1, ..USUAL },
    Case { failures: 1, tokens: true, ..USUAL },
    Case { failures: 1, ..USUAL },
    Case { existing: &[PENDING, PENDING, "Approved"], ..USUAL },
];
const PLAIN: usize = 2;
/// The worlds in which no version is deleted.
const WITHOUT_DELETIONS: usize = 6;

/// What is tried in every possible way: the number of runs, their limits, the number of worlds (the first of [`WORLDS`]),
/// and whether `cargo test` tries it.
const BOUNDS: [(usize, Limits, usize, bool); 9] = [
    (2, Limits { deviations: 1, kills: 0 }, WITHOUT_DELETIONS, true),
    (2, Limits { deviations: 0, kills: 1 }, WORLDS.len(), true),
    (2, Limits { deviations: 1, kills: 0 }, WORLDS.len(), false),
    (2, Limits { deviations: 1, kills: 1 }, PLAIN, false),
    (2, Limits { deviations: 2, kills: 0 }, PLAIN, false),
    (3, NO_LIMITS, WORLDS.len(), false),
    (3, Limits { deviations: 0, kills: 1 }, PLAIN, false),
    (3, Limits { deviations: 1, kills: 0 }, PLAIN, false),
    (4, NO_LIMITS, PLAIN, false),
];

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are the result")]
fn every_interleaving_with_few_deviations_and_kills_registers_one_version() {
    let all = std::env::var("INTERLEAVINGS").is_ok_and(|which| which == "all");
    let bounds = BOUNDS.into_iter().filter(|(.., always)| all || *always);
    let cases = bounds.flat_map(|(runs, limits, worlds, _)| {
        WORLDS.into_iter().take(worlds).map(move |world| Case { runs, limits, ..world })
    });
    let cases = Mutex::new(cases);
    let next = || cases.lock().expect("the iterator does not panic").next();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let tried = explore(case);
                    assert!(tried.is_ok(), "{case:?}: {tried:?}");
                    println!("{case:?}: {tried:?} interleavings");
                }
            });
        }
    });
}

#[test]
fn any_interleaving_of_up_to_four_runs_registers_one_version() {
    let seeds = match std::env::var("INTERLEAVINGS") {
        Ok(which) if which == "all" => 0..200_000,
        Ok(seed) => seed.parse().map(|seed| seed..seed + 1).expect("INTERLEAVINGS is `all` or the number of a seed"),
        Err(_) => 0..4000,
    };
    for seed in seeds {
        let (case, choices) = by_chance(seed, Broken::Nothing);
        let held = holds(case, choices).0;
        assert_eq!(held, Ok(()), "seed {seed} (`INTERLEAVINGS={seed}` tries it alone), {case:?}");
    }
}

#[test]
fn two_versions_are_registered_without_claims_or_a_lease_or_if_claims_are_held_too_long_or_released_too_early() {
    for broken in [Broken::Claims, Broken::Lease, Broken::Hold, Broken::Release] {
        let fails = |seed| {
            let (case, choices) = by_chance(seed, broken);
            holds(case, choices).0.is_err_and(|failed| failed.contains("2 versions were created"))
        };
        assert!((0..20_000).any(fails), "{broken:?} is not found");
    }
}

#[test]
fn no_version_is_registered_or_approved_without_a_look_for_a_hold_right_before() {
    let fails = |seed| {
        let (case, choices) = by_chance(seed, Broken::Look);
        holds(case, choices).0.is_err_and(|failed| failed.contains("without a look for a hold"))
    };
    assert!((0..100).any(fails), "a run that does not look is not found");
}

/// Tries every interleaving, depth first. Returns how many there are.
fn explore(case: Case) -> Result<usize, String> {
    let (mut choices, mut count) = (Some(Choices::first()), 0);
    while let Some(path) = choices {
        let (held, tried) = holds(case, path);
        held?;
        count += 1;
        choices = tried.following();
    }
    Ok(count)
}

fn by_chance(seed: u64, broken: Broken) -> (Case, Choices) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let dead_claims = [&[][..], &[], &[90], &[20], &[100, 3], &[3000, 90]][dice.usize(..6)];
    let limits = Limits { deviations: dice.usize(..12), kills: dice.usize(..3) };
    let (runs, tokens) = (dice.usize(2..5), dice.bool());
    let choices = Choices::of(dice.u64(..));
    let (refusals, holds, failures) = (dice.usize(..3), dice.usize(..2), dice.usize(..8).saturating_sub(5));
    let existing = [&[][..], &[], &[], &[PENDING], &[PENDING, PENDING], &[PENDING, "Approved"]][dice.usize(..6)];
    // Two versions that exist already are two versions that were created.
    let existing = if broken == Broken::Nothing { existing } else { &[] };
    let case = Case { runs, tokens, broken, dead_claims, existing, refusals, failures, holds, limits };
    (case, choices)
}

/// Runs a case, then a clean run alone, and checks what the target has.
fn holds(case: Case, choices: Choices) -> (Result<(), String>, Choices) {
    let runs = Simulation::new_world(case, choices);
    let of = |run| promote(Simulation { run, ..runs.clone() });
    let ended = drive(&runs, (0..case.runs).map(of).collect(), case.limits);
    {
        let mut world = runs.locked();
        (world.refusals, world.failures, world.holds, world.is_held) = (0, 0, 0, false);
    }
    let clean = drive(&runs, vec![of(case.runs)], NO_LIMITS);
    let mut world = runs.locked();
    let later = world.now + Duration::from_secs(100);
    world.advance(later);
    let held = check(case, &world, &ended, clean[0].as_ref().expect("it is not killed"));
    let log = world.log.join("\n");
    let choices = std::mem::replace(&mut world.choices, Choices::first());
    (held.map_err(|failed| format!("{failed}\n{log}")), choices)
}

/// What a run says whose version has failed.
const NOT_COMPLETED: &str = "SageMaker could not complete";

type Ended = Option<anyhow::Result<Registration>>;

fn check(case: Case, world: &World, ended: &[Ended], clean: &anyhow::Result<Registration>) -> Result<(), String> {
    let clean = clean.as_ref().map_err(|error| format!("the clean run fails: {error:#}"))?;
    let promoted = clean.arn.clone();
    if world.created as usize != case.existing.len().max(1) + world.failed as usize {
        return Err(format!("{} versions were created, and {} failed", world.created, world.failed));
    }
    for (number, version) in &world.versions {
        let text = |member: &str| version.description.get(member).and_then(Value::as_str).unwrap_or_default();
        let (status, has_failed) = (text("ModelApprovalStatus"), text("ModelPackageStatus") == "Failed");
        let discarded = status == "Rejected" && text("ApprovalDescription").starts_with(DISCARDED);
        let may_stay = match promoted.version() == *number {
            true => status == "Approved" && !version.is_deleted(),
            false => version.is_deleted() || discarded || has_failed,
        };
        if !may_stay {
            return Err(format!("version {number} is {status}"));
        }
        let was_approved = case.existing.get(*number as usize - 1) == Some(&"Approved");
        if was_approved && version.is_deleted() {
            return Err(format!("version {number} was Approved, and is deleted"));
        }
    }
    if let Some(write) = world.unlooked.first() {
        return Err(format!("{write} without a look for a hold"));
    }
    if !clean.left.is_empty() {
        return Err(format!("the clean run leaves {:?}", clean.left));
    }
    for (run, registered) in ended.iter().enumerate() {
        let Some(registered) = registered else { continue };
        match registered {
            Ok(registered) if registered.arn == promoted && registered.left.is_empty() => {}
            Ok(registered) if registered.arn == promoted => return Err(format!("a run leaves {:?}", registered.left)),
            Ok(registered) => return Err(format!("a run has promoted {}", registered.arn)),
            Err(error) if world.timed_out.contains(&run) && format!("{error:#}").contains(NO_RESPONSE) => {}
            Err(error) if [REFUSED, HELD, NOT_COMPLETED].iter().any(|why| format!("{error:#}").contains(why)) => {}
            // It stood still for too long, again and again.
            Err(error) if error.to_string().contains("attempt to write a claim") => {}
            Err(error) => return Err(format!("a run fails: {error:#}")),
        }
    }
    Ok(())
}

impl Simulation {
    fn new_world(case: Case, choices: Choices) -> Self {
        let mut world = World::new(choices, case.tokens, case.broken);
        for approval in case.existing {
            let mut request = request();
            request.insert("ClientToken".into(), json!(fastrand::u64(..)));
            world.register(&request, json!({"ModelApprovalStatus": approval}));
        }
        (world.refusals, world.failures, world.holds) = (case.refusals, case.failures, case.holds);
        for age in case.dead_claims {
            world.add_claim(claim(), Duration::from_secs(*age));
        }
        Self { world: std::sync::Arc::new(world.into()), run: 0 }
    }
}

/// One run: what it finds before the copy, and the registration.
async fn promote(services: Simulation) -> anyhow::Result<Registration> {
    let (package, group, request) = (package(), group(), request());
    let approvals = ApprovalPolicy { approval: Some(Approval::Carry), withdraw: true };
    let policy = RegistrationPolicy { approvals, recorded: None, patience: Duration::from_secs(900) };
    let existing = ExistingPromotions::find(&services, group.name(), &package);
    let (existing, newest) = tokio::join!(existing, services.newest_claim());
    let registering = Registering {
        source: &services,
        registry: &services,
        claims: &services,
        group: group.name(),
        package: &package,
        request: &request,
        source_uri: None,
        policy: &policy,
        claim: claim(),
        tell: &|_| {},
    };
    registering.register(existing?, newest?).await
}
