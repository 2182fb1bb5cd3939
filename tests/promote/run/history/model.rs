//! What must hold, said once more and in small: the fields and the approval of each promoted version.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::step::{Status, new_version, source};
use crate::support::Cloud;
use crate::world::*;

/// The versions that the source may register.
pub const REGISTERED: u32 = 3;

/// The source versions, and what was promoted of them.
#[derive(Clone, Debug)]
pub struct Model {
    registered: u32,
    promoted: BTreeMap<u32, Promoted>,
}

/// A promoted version.
#[derive(Clone, Debug)]
struct Promoted {
    arn: String,
    /// Each field as the target has it, and as the source had it when both were last compared and equal.
    target: Fields,
    base: Fields,
    approval: Approval,
    /// Whether somebody in the target account has decided.
    theirs: bool,
    /// Whether a record describes it.
    recorded: bool,
}

/// The approval of a promoted version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Approval {
    Approved,
    Pending,
    /// Rejected because its source is.
    Withdrawn {
        was_pending: bool,
    },
    Rejected,
}

/// The fields by name; what an update replaces as a whole is one field.
type Fields = BTreeMap<String, Value>;

impl Model {
    /// One version of the source, nothing promoted.
    pub fn new() -> Self {
        Self { registered: 1, promoted: BTreeMap::new() }
    }

    pub fn is_registered(&self, version: u32) -> bool {
        version <= self.registered
    }

    /// Registers another version at the source.
    pub fn register(&mut self, cloud: &Cloud) {
        if self.registered < REGISTERED {
            new_version(cloud);
            self.registered += 1;
        }
    }

    /// Whether the source may change a field now: what a run has registered and not recorded must stay as it is.
    pub fn may_edit(&self, version: u32) -> bool {
        self.is_registered(version) && self.promoted.get(&version).is_none_or(|promoted| promoted.recorded)
    }

    /// The promoted version that somebody in the target account may change: one with a record.
    pub fn settled(&self, version: u32) -> Option<String> {
        self.promoted.get(&version).filter(|promoted| promoted.recorded).map(|promoted| promoted.arn.clone())
    }

    /// Somebody in the target account has changed a field.
    pub fn edited(&mut self, cloud: &Cloud, version: u32) {
        let promoted = self.promoted.get_mut(&version).expect("it is promoted");
        promoted.target = fields(&cloud.package(&promoted.arn).expect("it is promoted"));
    }

    /// Somebody in the target account has decided.
    pub fn decide(&mut self, version: u32, status: Status) {
        let promoted = self.promoted.get_mut(&version).expect("it is promoted");
        let before = promoted.approval;
        promoted.approval = match status {
            Status::Approved => Approval::Approved,
            Status::Pending => Approval::Pending,
            Status::Rejected => Approval::Rejected,
        };
        promoted.theirs |= promoted.approval != before;
    }

    /// A clean run: promotes the latest approved version, and lets all others follow.
    pub fn run(&mut self, cloud: &Cloud) {
        let latest = self.latest(cloud);
        for version in 1..=self.registered {
            let source = at_source(cloud, version);
            let is_latest = latest == Some(version);
            match self.promoted.get_mut(&version) {
                Some(promoted) if promoted.recorded || is_latest => {
                    promoted.follow(&source);
                    promoted.recorded = true;
                }
                // No record tells what was promoted, so it can be withdrawn only.
                Some(promoted) if status(&source) == Status::Rejected => promoted.withdraw(),
                Some(_) => {}
                None if is_latest => {
                    let (target, base) = (fields(&source), fields(&source));
                    let arn = promoted_from(cloud, version).map_or(String::new(), |(arn, _)| arn);
                    let (approval, theirs, recorded) = (Approval::Approved, false, true);
                    self.promoted.insert(version, Promoted { arn, target, base, approval, theirs, recorded });
                }
                None => {}
            }
        }
    }

    fn latest(&self, cloud: &Cloud) -> Option<u32> {
        (1..=self.registered).rev().find(|version| status(&at_source(cloud, *version)) == Status::Approved)
    }

    /// An interrupted run: whatever it has changed is what a clean run changes.
    pub fn observe(&mut self, cloud: &Cloud) -> Result<()> {
        let mut clean = self.clone();
        clean.run(cloud);
        for version in 1..=self.registered {
            let Some((arn, described)) = promoted_from(cloud, version) else { continue };
            let (is, approval) = (fields(&described), approval(&described));
            let wanted = clean.promoted.get(&version).context("a version is promoted that no run promotes")?;
            let Some(promoted) = self.promoted.get_mut(&version) else {
                ensure!(is == wanted.target, "registered as {is:?}, not as {:?}", wanted.target);
                ensure!([Approval::Pending, wanted.approval].contains(&approval), "registered as {approval:?}");
                let (base, target) = (is.clone(), is);
                let recorded = has_record(cloud, version);
                self.promoted.insert(version, Promoted { arn, target, base, approval, theirs: false, recorded });
                continue;
            };
            for (name, value) in &is {
                if *value != promoted.target[name] {
                    ensure!(*value == wanted.target[name], "{name} is {value}, not {}", wanted.target[name]);
                    promoted.base.insert(name.clone(), value.clone());
                    promoted.target.insert(name.clone(), value.clone());
                }
            }
            if approval != promoted.approval {
                ensure!(approval == wanted.approval, "{approval:?}, not {:?}", wanted.approval);
                (promoted.approval, promoted.theirs) = (approval, wanted.theirs);
            }
            promoted.recorded |= has_record(cloud, version);
        }
        Ok(())
    }

    /// The target is as the model has it.
    pub fn agrees(&self, cloud: &Cloud) -> Result<()> {
        for version in 1..=self.registered {
            let promoted = match (self.promoted.get(&version), promoted_from(cloud, version)) {
                (None, None) => continue,
                (Some(promoted), Some(described)) => (promoted, described.1),
                (model, _) => anyhow::bail!("version {version}: the model has {model:?}, the target has not"),
            };
            let (promoted, described) = promoted;
            let (is, approval) = (fields(&described), approval(&described));
            ensure!(is == promoted.target, "version {version} has {is:?}, not {:?}", promoted.target);
            ensure!(
                approval == promoted.approval,
                "version {version} is {approval:?}, not {:?}: {described:#}",
                promoted.approval
            );
        }
        Ok(())
    }

    /// The promoted versions that a record describes.
    pub fn recorded(&self) -> Vec<String> {
        self.promoted.values().filter(|one| one.recorded).map(|one| one.arn.clone()).collect()
    }
}

impl Promoted {
    fn follow(&mut self, source: &Value) {
        for (name, now) in fields(source) {
            let (base, target) = (self.base[&name].clone(), self.target[&name].clone());
            let carried = match name.as_str() {
                "Domain" => false,
                "second" => now == true,
                _ => true,
            };
            if now == base {
                continue;
            }
            if now == target {
                self.base.insert(name, now);
            } else if target == base && carried {
                self.base.insert(name.clone(), now.clone());
                self.target.insert(name, now);
            }
        }
        let waits = |theirs| if theirs { Approval::Pending } else { Approval::Approved };
        if status(source) == Status::Rejected {
            self.withdraw();
        }
        self.approval = match (status(source), self.approval) {
            (Status::Approved, Approval::Withdrawn { was_pending: false }) => Approval::Approved,
            (Status::Approved, Approval::Withdrawn { was_pending: true } | Approval::Pending) => waits(self.theirs),
            (_, approval) => approval,
        };
        if status(source) == Status::Approved && self.approval == Approval::Approved {
            self.theirs = false;
        }
    }
}

impl Promoted {
    fn withdraw(&mut self) {
        self.approval = match self.approval {
            Approval::Approved => Approval::Withdrawn { was_pending: false },
            Approval::Pending => Approval::Withdrawn { was_pending: true },
            withdrawn => withdrawn,
        };
    }
}

/// The fields of a described version that the histories change.
fn fields(described: &Value) -> Fields {
    let specifications = described["AdditionalInferenceSpecifications"].as_array();
    let second = specifications.into_iter().flatten().any(|one| one["Name"] == "second");
    let mut fields = Fields::from([
        ("ModelLifeCycle".to_owned(), described["ModelLifeCycle"].clone()),
        ("ModelCard".to_owned(), described["ModelCard"].clone()),
        ("Domain".to_owned(), described["Domain"].clone()),
        ("second".to_owned(), second.into()),
    ]);
    for key in ["team", "new"] {
        fields.insert(format!("{{{key}}}"), described["CustomerMetadataProperties"][key].clone());
    }
    fields
}

fn status(described: &Value) -> Status {
    match described["ModelApprovalStatus"].as_str() {
        Some("Approved") => Status::Approved,
        Some("Rejected") => Status::Rejected,
        _ => Status::Pending,
    }
}

fn approval(described: &Value) -> Approval {
    let text = described["ApprovalDescription"].as_str().unwrap_or_default();
    match status(described) {
        Status::Approved => Approval::Approved,
        Status::Pending => Approval::Pending,
        Status::Rejected if text.starts_with("promote: withdrawn: ") => {
            Approval::Withdrawn { was_pending: text.starts_with("promote: withdrawn: while pending: ") }
        }
        Status::Rejected => Approval::Rejected,
    }
}

fn at_source(cloud: &Cloud, version: u32) -> Value {
    cloud.package(&source(version)).expect("it is registered")
}

/// The promoted version of a source version, with its description.
fn promoted_from(cloud: &Cloud, version: u32) -> Option<(String, Value)> {
    let is_from = |one: &Value| one["CustomerMetadataProperties"]["promote:source-arn"] == source(version);
    let described = promoted(cloud).into_iter().find(is_from)?;
    Some((described["ModelPackageArn"].as_str().expect("an ARN").to_owned(), described))
}

/// Whether a record describes the promotion of a source version.
fn has_record(cloud: &Cloud, version: u32) -> bool {
    cloud.object(SERVING, &format!("{}promotion.json", FOLDER.replace("-v1/", &format!("-v{version}/")))).is_some()
}
