//! A promoted version of the model, and how it follows its source.

use serde_json::Value;

use super::described::{Approval, Fields, Verified, fields, status};
use super::step::Status;

/// What a run leaves pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    Nothing,
    /// `--approval pending`.
    Pending,
}

/// A promoted version.
#[derive(Clone, Debug)]
pub struct Promoted {
    pub arn: String,
    /// Each field as the target has it, and as the source had it when both were last compared and equal.
    pub target: Fields,
    pub base: Fields,
    pub approval: Approval,
    /// Whether somebody in the target account has decided.
    pub theirs: bool,
    /// Whether a record describes it.
    pub recorded: bool,
    /// What `verify` compares, as it was after the last clean run that has followed the source.
    pub verified: Option<Verified>,
}

impl Promoted {
    /// Whether it is Approved, and its source is not Rejected.
    pub fn is_served_by(&self, source: &Value) -> bool {
        self.approval == Approval::Approved && status(source) != Status::Rejected
    }

    /// What a run does with it, given the source version.
    pub fn follow(&mut self, source: &Value, leaves: Leaves) {
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
            (Status::Approved, Approval::Withdrawn { was_pending: false }) => waits(leaves == Leaves::Pending),
            (Status::Approved, Approval::Withdrawn { was_pending: true } | Approval::Pending) => {
                waits(self.theirs || leaves == Leaves::Pending)
            }
            (_, approval) => approval,
        };
        // A version that a run leaves pending waits for somebody in the target account.
        self.theirs |= leaves == Leaves::Pending && self.approval == Approval::Pending;
        if status(source) == Status::Approved && self.approval == Approval::Approved {
            self.theirs = false;
        }
    }

    /// It is no longer served.
    pub fn withdraw(&mut self) {
        self.approval = match self.approval {
            Approval::Approved => Approval::Withdrawn { was_pending: false },
            Approval::Pending => Approval::Withdrawn { was_pending: true },
            withdrawn => withdrawn,
        };
    }
}
