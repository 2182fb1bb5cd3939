//! What happens in a history, and how a seed makes one.

use fastrand::Rng;
use serde_json::{Value, json};

use super::model::REGISTERED;
use crate::support::{Cloud, Moment};
use crate::world::*;

/// One step of a history. A step that makes no sense in the present state is left out.
#[derive(Clone, Debug)]
pub enum Step {
    /// Another version is registered and Approved at the source.
    Register,
    /// The source changes a field of a version.
    AtSource { version: u32, edit: Edit },
    /// The source decides about a version.
    ApprovalAtSource { version: u32, status: Status },
    /// Somebody in the target account changes a field of the promoted version.
    AtTarget { version: u32, edit: Edit },
    /// Somebody in the target account decides about the promoted version.
    ApprovalAtTarget { version: u32, status: Status },
    /// The source deletes a version.
    DeletedAtSource { version: u32 },
    /// Somebody in the target account deletes the promoted version.
    DeletedInTarget { version: u32 },
    /// Somebody removes the only record of a promotion, with its signature.
    RecordLost { version: u32 },
    /// A run that does not come to its end.
    Interrupted(Interruption),
    /// The source replaces the bytes of an object that its versions share.
    BytesAtSource(u8),
    /// Somebody holds the target group, or releases it.
    Hold(bool),
    /// A run that leaves versions pending.
    RunThatLeaves,
    /// Two runs at once.
    TwoRuns,
    /// A run. If it is checked, a second run follows, which has nothing to do.
    Run { checked: bool },
}

impl Step {
    /// Whether the step runs the program against the source.
    pub fn is_run(&self) -> bool {
        matches!(self, Self::Interrupted(_) | Self::RunThatLeaves | Self::TwoRuns | Self::Run { .. } | Self::Hold(_))
    }
}

/// What fails in an interrupted run.
#[derive(Clone, Copy, Debug)]
pub enum Interruption {
    /// Every call from this one on.
    Calls(usize),
    /// Every update of a version.
    Updates,
    /// Every record from this one on.
    Records(usize),
    /// One signature, or every signature from this one on.
    Signatures { first: usize, all: bool },
}

impl Interruption {
    /// The calls that fail.
    pub fn moment(self) -> Moment {
        match self {
            Self::Calls(first) => Moment::from(first),
            Self::Updates => Moment::every("UpdateModelPackage"),
            Self::Records(first) => Moment::on("PutObject", first).at(".json").times(1000),
            Self::Signatures { first, all } => Moment::on("Sign", first).times(if all { 1000 } else { 1 }),
        }
    }
}

/// A changed field.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A metadata key; nothing removes it.
    Metadata(&'static str, Option<u8>),
    /// The stage of the life cycle.
    Stage(u8),
    /// The status of the stage of the life cycle.
    StageStatus(u8),
    /// The status of the model card.
    Card(u8),
    /// Whether there is a second additional specification.
    Specification(bool),
    /// A field that no update can change.
    Domain(u8),
}

impl Edit {
    /// Whether the digest of a request proves the value that the field had before.
    pub fn is_provable(&self) -> bool {
        !matches!(self, Self::Domain(_) | Self::Specification(false))
    }
}

/// An approval status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Approved,
    Pending,
    Rejected,
}

impl Status {
    /// The status with a reason of somebody's own.
    pub fn members(self, who: &str) -> Value {
        json!({"ModelApprovalStatus": self.name(), "ApprovalDescription": format!("{who} says {self:?}")})
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Pending => "PendingManualApproval",
            Self::Rejected => "Rejected",
        }
    }
}

/// A version of the source group.
pub fn source(version: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/{version}")
}

/// Whether the runs of a seed sign their records.
pub fn signs(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// The sequence of a seed.
pub fn sequence(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let length = rng.usize(4..=12);
    let mut steps = vec![Step::Run { checked: false }];
    for _ in 0..length {
        let step = step(&mut rng);
        // Otherwise most interrupted runs would have nothing to do.
        if matches!(step, Step::Interrupted(_)) {
            steps.push(Step::AtSource { version: rng.u32(1..=REGISTERED), edit: edit(&mut rng) });
        }
        steps.push(step);
    }
    steps
}

fn step(rng: &mut Rng) -> Step {
    let version = rng.u32(1..=REGISTERED);
    match rng.u8(0..32) {
        0 | 20..=21 => Step::Register,
        1..=5 => Step::AtSource { version, edit: edit(rng) },
        6..=8 => Step::ApprovalAtSource { version, status: status(rng) },
        9..=10 => Step::AtTarget { version, edit: edit(rng) },
        11..=12 => Step::ApprovalAtTarget { version, status: status(rng) },
        22 => Step::DeletedAtSource { version },
        23 => Step::DeletedInTarget { version },
        24 => Step::RecordLost { version },
        25 => Step::BytesAtSource(rng.u8(0..3)),
        26..=27 => Step::Hold(rng.bool()),
        28..=29 => Step::RunThatLeaves,
        30..=31 => Step::TwoRuns,
        13..=14 => Step::Interrupted(match rng.u8(0..6) {
            0 => Interruption::Updates,
            1 => Interruption::Records(rng.usize(1..=3)),
            2..=3 => Interruption::Signatures { first: rng.usize(1..=3), all: rng.bool() },
            _ => Interruption::Calls(rng.usize(1..=40)),
        }),
        _ => Step::Run { checked: rng.u8(0..4) == 0 },
    }
}

fn edit(rng: &mut Rng) -> Edit {
    match rng.u8(0..10) {
        0..=3 => Edit::Metadata(["team", "new"][rng.usize(0..2)], rng.bool().then(|| rng.u8(0..3))),
        4 => Edit::Stage(rng.u8(0..2)),
        5 => Edit::StageStatus(rng.u8(0..2)),
        6..=7 => Edit::Card(rng.u8(0..2)),
        8 => Edit::Specification(rng.bool()),
        _ => Edit::Domain(rng.u8(0..2)),
    }
}

fn status(rng: &mut Rng) -> Status {
    [Status::Approved, Status::Pending, Status::Rejected][rng.usize(0..3)]
}

/// Makes an edit of a described version, at the source or in the target.
pub fn apply(version: &Value, edit: &Edit) -> Value {
    let life_cycle = |member: &str, value: String| {
        let mut life_cycle = version["ModelLifeCycle"].clone();
        if life_cycle.is_null() {
            life_cycle = json!({"Stage": "none", "StageStatus": "none"});
        }
        life_cycle[member] = value.into();
        json!({"ModelLifeCycle": life_cycle})
    };
    match edit {
        Edit::Metadata(key, value) => {
            let mut metadata = version["CustomerMetadataProperties"].clone();
            match value {
                Some(value) => metadata[*key] = value.to_string().into(),
                None => drop(metadata.as_object_mut().expect("a map").remove(*key)),
            }
            json!({"CustomerMetadataProperties": metadata})
        }
        Edit::Stage(value) => life_cycle("Stage", format!("stage-{value}")),
        Edit::StageStatus(value) => life_cycle("StageStatus", format!("status-{value}")),
        Edit::Card(value) => {
            let status = ["Draft", "Approved"][usize::from(*value)];
            json!({"ModelCard": {"ModelCardStatus": status, "ModelCardContent": "{\"a\": 1}"}})
        }
        Edit::Specification(there) => {
            let mut all = version["AdditionalInferenceSpecifications"].as_array().cloned().unwrap_or_default();
            all.retain(|one| one["Name"] != "second");
            if *there {
                let mut second = all[0].clone();
                second["Name"] = "second".into();
                all.push(second);
            }
            json!({"AdditionalInferenceSpecifications": all})
        }
        Edit::Domain(value) => {
            let domain = ["OTHER", "COMPUTER_VISION"][usize::from(*value)];
            json!({"Domain": domain})
        }
    }
}

impl Edit {
    /// Whether UpdateModelPackage lets somebody in the target account make the edit.
    pub fn is_possible_in_target(&self, version: &Value) -> bool {
        let specifications = version["AdditionalInferenceSpecifications"].as_array().map_or(0, Vec::len);
        match self {
            Self::Domain(_) => false,
            Self::Specification(there) => *there && specifications < 2,
            Self::Metadata(..) | Self::Stage(_) | Self::StageStatus(_) | Self::Card(_) => true,
        }
    }
}

/// Makes an edit in the target account, if UpdateModelPackage can.
pub fn target_edit(cloud: &Cloud, arn: &str, edit: &Edit) {
    let version = cloud.package(arn).expect("it is registered");
    if edit.is_possible_in_target(&version) {
        cloud.change(arn, apply(&version, edit));
    }
}

/// Makes an edit at the source.
pub fn source_edit(cloud: &Cloud, version: u32, edit: &Edit) {
    let described = cloud.package(&source(version)).expect("it is registered");
    cloud.change(&source(version), apply(&described, edit));
}

/// Version `number` of the source, which nobody has changed yet.
pub fn new_version(cloud: &Cloud) {
    cloud.register(package());
}
