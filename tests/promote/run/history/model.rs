//! What must hold, said once more and in small: the fields and the approval of each promoted version.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::described::{
    Approval, approval, approval_of, at_source, fields, has_record, is_withheld, promoted_from, records, status,
    verified,
};
use super::promoted::{Leaves, Promoted};
use super::step::{Edit, Status, new_version, source};
use crate::support::Cloud;
use crate::support::kms::SIGN_KEY;
use crate::world::*;

/// The versions that the source may register.
pub const REGISTERED: u32 = 3;

/// The source versions, and what was promoted of them.
#[derive(Clone, Debug)]
pub struct Model {
    /// Whether the runs sign their records.
    signs: bool,
    registered: u32,
    /// Whether the target group is held.
    pub held: bool,
    /// The versions that were promoted with other bytes than the source has.
    older_than_bytes: BTreeSet<u32>,
    /// The versions whose approval the target account had withheld when it deleted them.
    withheld: BTreeSet<u32>,
    /// The source versions that were deleted.
    deleted: BTreeSet<u32>,
    /// Whether every run since the last clean one has come to its end.
    clean: bool,
    promoted: BTreeMap<u32, Promoted>,
}

impl Model {
    /// One version of the source, nothing promoted.
    pub fn new(signs: bool) -> Self {
        Self {
            signs,
            held: false,
            older_than_bytes: BTreeSet::new(),
            withheld: BTreeSet::new(),
            registered: 1,
            deleted: BTreeSet::new(),
            clean: false,
            promoted: BTreeMap::new(),
        }
    }

    /// The flags of every run, and of `verify`.
    pub fn flags(&self) -> &'static [&'static str] {
        if self.signs { &["--sign-key", SIGN_KEY] } else { &[] }
    }

    pub fn is_registered(&self, version: u32) -> bool {
        version <= self.registered && !self.deleted.contains(&version)
    }

    /// Whether the source may replace the bytes of its model: no copy of a promotion that is not complete would equal them.
    /// If it may, every promoted version is older than the bytes from then on.
    pub fn may_replace_bytes(&mut self, cloud: &Cloud) -> bool {
        let folder = |version: u32| FOLDER.replace("-v1/", &format!("-v{version}/"));
        let keys = cloud.keys(SERVING);
        let is_empty = |version| !keys.iter().any(|key| key.starts_with(&folder(version)));
        let may = (1..=REGISTERED).all(|version| is_empty(version) || self.settled(cloud, version).is_some());
        if may {
            self.older_than_bytes.extend(self.promoted.keys());
        }
        may
    }

    /// Whether the version was promoted with other bytes than the source has.
    pub fn is_older_than_bytes(&self, version: u32) -> bool {
        self.older_than_bytes.contains(&version)
    }

    /// The source has deleted a version.
    pub fn deleted(&mut self, version: u32) {
        self.deleted.insert(version);
    }

    /// Somebody in the target account has deleted the promoted version. What the last clean run has seen counts; after an
    /// interrupted run, or one in a held group, only the records tell what it has seen.
    pub fn forget(&mut self, cloud: &Cloud, version: u32) {
        let seen = self.promoted.remove(&version).and_then(|promoted| promoted.verified).filter(|_| self.clean);
        let withheld = match seen {
            Some((_, status, text)) => approval_of(&status, &text).is_withheld(),
            None => is_withheld(cloud, version),
        };
        match withheld {
            true => self.withheld.insert(version),
            false => self.withheld.remove(&version),
        };
    }

    /// The key of a promotion's record, if the promotion has one record only and its version equals the source. Without the
    /// record, nothing could tell who has made a difference.
    pub fn lose_record(&mut self, cloud: &Cloud, version: u32) -> Option<String> {
        let source = cloud.package(&source(version)).filter(|_| !self.is_older_than_bytes(version))?;
        let promoted = self.promoted.get_mut(&version).filter(|promoted| promoted.recorded && !promoted.theirs)?;
        let same = fields(&source) == promoted.target && promoted.base == promoted.target;
        let records = records(cloud, version, &promoted.arn);
        if !same || promoted.approval != Approval::Approved || records.len() != 1 {
            return None;
        }
        (promoted.recorded, promoted.verified) = (false, None);
        records.into_iter().next()
    }

    /// Registers another version at the source.
    pub fn register(&mut self, cloud: &Cloud) {
        if self.registered < REGISTERED {
            new_version(cloud);
            self.registered += 1;
        }
    }

    /// Whether the source may change a field now: for a version that a run has registered and not recorded, only one whose
    /// former value the digest of the request proves.
    pub fn may_edit(&self, version: u32, edit: &Edit) -> bool {
        let is_recorded = self.promoted.get(&version).is_none_or(|promoted| promoted.recorded);
        self.is_registered(version) && (is_recorded || edit.is_provable())
    }

    /// The promoted version that somebody in the target account may change: one with a record.
    pub fn settled(&self, cloud: &Cloud, version: u32) -> Option<String> {
        let promoted = self.promoted.get(&version).filter(|promoted| promoted.recorded)?;
        let is_signed = |record: &String| cloud.object(SERVING, &format!("{record}.dsse")).is_some();
        let all_signed = records(cloud, version, &promoted.arn).iter().all(is_signed);
        (all_signed || !self.signs).then(|| promoted.arn.clone())
    }

    /// The promoted version, if it is not as it was after the last clean run and `verify` has to say so, and what `verify`
    /// has to name.
    pub fn changed_since_the_run(&self, cloud: &Cloud, version: u32) -> Option<(String, Vec<String>)> {
        let promoted = self.promoted.get(&version).filter(|_| self.clean)?;
        let now = verified(&cloud.package(&promoted.arn)?);
        let then = promoted.verified.as_ref()?;
        // What the source had is what the record has: going back to it is no change of the record.
        let is_new = |name: &&String| now.0[*name] != then.0[*name] && now.0[*name] != promoted.base[*name];
        let mut changed: Vec<String> = now.0.keys().filter(is_new).cloned().collect();
        match (now.1 != then.1, now.2 != then.2) {
            (true, _) => changed.push("ModelApprovalStatus".to_owned()),
            (false, true) => changed.push("ApprovalDescription".to_owned()),
            (false, false) => {}
        }
        (!changed.is_empty()).then(|| (promoted.arn.clone(), changed))
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
    pub fn run(&mut self, cloud: &Cloud, leaves: Leaves) {
        if self.held {
            return self.run_in_held_group(cloud);
        }
        let latest = self.latest(cloud);
        self.clean = true;
        for version in (1..=self.registered).filter(|version| !self.deleted.contains(version)).collect::<Vec<_>>() {
            let source = at_source(cloud, version);
            let is_latest = latest == Some(version);
            match self.promoted.get_mut(&version) {
                Some(promoted) if promoted.recorded || is_latest || promoted.is_served_by(&source) => {
                    promoted.follow(&source, leaves);
                    promoted.recorded = true;
                }
                // No record tells what was promoted, so it can be withdrawn only, or recorded if it is Approved.
                Some(promoted) if status(&source) == Status::Rejected => promoted.withdraw(),
                Some(_) => {}
                None if is_latest => {
                    let (target, base) = (fields(&source), fields(&source));
                    let arn = promoted_from(cloud, version).map_or(String::new(), |(arn, _)| arn);
                    let (approval, theirs) = match leaves {
                        Leaves::Nothing if !self.withheld.contains(&version) => (Approval::Approved, false),
                        Leaves::Nothing | Leaves::Pending => (Approval::Pending, true),
                    };
                    let recorded = true;
                    let verified = None;
                    self.promoted.insert(version, Promoted { arn, target, base, approval, theirs, recorded, verified });
                }
                None => {}
            }
            if let Some(promoted) = self.promoted.get_mut(&version).filter(|promoted| promoted.recorded) {
                promoted.verified = cloud.package(&promoted.arn).as_ref().map(verified);
            }
        }
    }

    /// In a held group, a run withdraws what the source rejects, and nothing else.
    fn run_in_held_group(&mut self, cloud: &Cloud) {
        self.clean = false;
        let there: Vec<u32> = self.promoted.keys().copied().filter(|version| !self.deleted.contains(version)).collect();
        for version in there {
            let source = at_source(cloud, version);
            let promoted = self.promoted.get_mut(&version).expect("it is promoted");
            let withdraws = status(&source) == Status::Rejected
                && matches!(promoted.approval, Approval::Approved | Approval::Pending);
            match withdraws {
                true if promoted.recorded => promoted.follow(&source, Leaves::Nothing),
                true => promoted.withdraw(),
                false => {}
            }
        }
    }

    fn latest(&self, cloud: &Cloud) -> Option<u32> {
        let mut there = (1..=self.registered).rev().filter(|version| !self.deleted.contains(version));
        there.find(|version| status(&at_source(cloud, *version)) == Status::Approved)
    }

    /// An interrupted run: whatever it has changed is what a clean run changes.
    pub fn observe(&mut self, cloud: &Cloud) -> Result<()> {
        let mut clean = self.clone();
        clean.run(cloud, Leaves::Nothing);
        self.clean = false;
        self.promoted.values_mut().for_each(|promoted| promoted.verified = None);
        for version in 1..=self.registered {
            let Some((arn, described)) = promoted_from(cloud, version) else { continue };
            let (is, approval) = (fields(&described), approval(&described));
            let wanted = clean.promoted.get(&version).context("a version is promoted that no run promotes")?;
            let Some(promoted) = self.promoted.get_mut(&version) else {
                ensure!(is == wanted.target, "registered as {is:?}, not as {:?}", wanted.target);
                ensure!([Approval::Pending, wanted.approval].contains(&approval), "registered as {approval:?}");
                let (base, target) = (is.clone(), is);
                let recorded = has_record(cloud, version, &arn);
                let (theirs, verified) = (wanted.theirs, None);
                self.promoted.insert(version, Promoted { arn, target, base, approval, theirs, recorded, verified });
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
            promoted.recorded |= has_record(cloud, version, &promoted.arn);
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

    /// The promoted versions that equal their records. If the source was deleted, or the group is held, nothing records what
    /// others have changed since, so that only versions that nobody has changed do. A record of bytes that
    /// the source does not have any more cannot be compared, so that nobody signs it later.
    pub fn verifiable(&self, cloud: &Cloud) -> Vec<String> {
        let is_signed = |key: &String| cloud.object(SERVING, &format!("{key}.dsse")).is_some();
        let is_unchanged = |one: &Promoted| {
            let now = cloud.package(&one.arn);
            one.verified.is_some() && one.verified == now.as_ref().map(verified)
        };
        let there = self.promoted.iter().filter(|(version, one)| {
            one.recorded && (is_unchanged(one) || !self.held && !self.deleted.contains(version))
        });
        let there = there.filter(|(version, one)| {
            let is_comparable = !self.is_older_than_bytes(**version);
            !self.signs || is_comparable || records(cloud, **version, &one.arn).iter().all(is_signed)
        });
        there.map(|(_, one)| one.arn.clone()).collect()
    }
}
