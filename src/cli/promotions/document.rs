//! The document of `promote apply` and `promote plan`.

use serde::Serialize;

use crate::cli::arguments::PlanFormat;
use crate::cli::exit::Exit;
use crate::cli::failed::FailedRun;
use crate::cli::of_groups::{GroupsSummary, OfGroup};
use crate::record::Tool;
use crate::run::RunReport;
use crate::run::many::{PassedOver, PlanDigest};

/// The document of `promote apply` and `promote plan`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct PromotionsDocument {
    pub schema: u32,
    pub verb: &'static str,
    /// The promotions file.
    pub file: String,
    /// The targets in the order of the file.
    pub targets: Vec<OfTarget>,
    /// The plans of all targets, if the document is a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanDigest>,
    /// The reviewed plans of all targets, with `--plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_plan: Option<PlanDigest>,
    pub summary: GroupsSummary,
    pub tool: Tool,
    pub ended: String,
    /// The form of a plan; nothing for `promote apply`.
    #[serde(skip)]
    pub(super) form: Option<PlanFormat>,
}

/// The result of one target.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct OfTarget {
    pub name: String,
    pub exit_code: Exit,
    /// The groups by name.
    pub groups: Vec<OfGroup<RunReport>>,
    /// Groups that match and have nothing to promote.
    pub passed_over: Vec<PassedOver>,
    /// Why the groups could not be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FailedRun>,
}

impl PromotionsDocument {
    /// Whether the document is a plan.
    pub fn is_plan(&self) -> bool {
        self.form.is_some()
    }

    /// Whether Markdown was asked for.
    pub fn is_markdown(&self) -> bool {
        self.form == Some(PlanFormat::Markdown)
    }
}
