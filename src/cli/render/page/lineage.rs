//! The lineage of a version.

use indicatif::HumanBytes;
use maud::{Markup, html};

use super::super::images::outcome;
use super::text::{minute, value, visible};
use crate::model::approval::DecidedBy;
use crate::model::words::counted;
use crate::record::ArtifactFacts;
use crate::run::status::lineage::{Approver, FieldDifference, Lineage, verified};
use crate::run::status::named_images::NamedImage;
use crate::run::status::standing::{Row, SideVersion};

/// Artifacts and fields that are shown before the others, which are collapsed.
pub const FIRST: usize = 8;

/// What is known of a promoted version, with so many artifacts and fields.
pub fn of(row: &Row, lineage: &Lineage, listed: usize) -> Markup {
    html! {
        dl {
            @if let Some(from) = &row.promoted_from { dt { "Source version" } dd { code { (from) } } }
            @if let Some(side) = &row.source { dt { "Registered at the source" } dd { (minute(&side.created)) } }
            @if let Some(side) = &row.target { (promoted(side, lineage)) }
            (approval(lineage))
            @for image in &lineage.images { dt { "Image" } dd { (named(image)) } }
            (record(lineage))
        }
        (artifacts(lineage, listed))
        (differences(lineage, listed))
    }
}

fn promoted(side: &SideVersion, lineage: &Lineage) -> Markup {
    html! {
        dt { "Promoted version" } dd { code { (side.model_package_arn) } }
        dt { "Registered in the target" } dd { (minute(&side.created)) }
        @if let Some(modified) = &side.modified {
            dt { "Last changed in the target" }
            dd { (minute(modified)) @if let Some(by) = &lineage.target_changed_by { " by " code { (visible(by)) } } }
        }
    }
}

fn approval(lineage: &Lineage) -> Markup {
    let decided = match lineage.decided_by {
        Some(DecidedBy::Source) => Some("the source: its approval is carried over"),
        Some(DecidedBy::Nobody) => Some("nobody yet"),
        Some(DecidedBy::Target) => Some("somebody in the target account"),
        None => None,
    };
    let is_approver = |by: &&String| lineage.approver.as_ref().is_some_and(|approver| approver.principal == **by);
    let changed_since = lineage.source_changed_by.as_ref().filter(|by| !is_approver(by));
    html! {
        @if let Some(Approver { principal, changed }) = &lineage.approver {
            dt { "Approver at the source" }
            dd {
                code { (visible(principal)) }
                span.m { ", who made the last change before the promotion, " (minute(changed)) }
            }
        }
        @if let Some(reason) = &lineage.source_approval { dt { "Approval at the source" } dd { (visible(reason)) } }
        @if let Some(by) = changed_since { dt { "Source last changed by" } dd { code { (visible(by)) } } }
        @if let Some(decided) = decided { dt { "Decided by" } dd { (decided) } }
        @if let Some(reason) = &lineage.target_approval { dt { "Approval in the target" } dd { (visible(reason)) } }
    }
}

fn named(image: &NamedImage) -> Markup {
    let digest = image.digest.as_ref().filter(|digest| !image.image.contains(*digest));
    html! {
        code { (visible(&image.image)) }
        @if let Some(digest) = digest { " " code.m { (visible(digest)) } }
        @if let Some(result) = image.result { span.m { ", " (outcome(result)) } }
    }
}

fn record(lineage: &Lineage) -> Markup {
    html! {
        @if let Some(record) = &lineage.record { dt { "Record" } dd { code { (visible(&record.to_string())) } } }
        @if let Some(recorded) = &lineage.recorded {
            dt { "Recorded" }
            dd { (minute(recorded)) @if let Some(by) = &lineage.recorded_by { " by " code { (visible(by)) } } }
        }
        @if let Some(reason) = &lineage.unread { dt { "Record not read" } dd.w { (visible(reason)) } }
        @match (&lineage.signature, &lineage.record) {
            (Some(signature), _) => {
                dt { "Signature" }
                dd {
                    "present, not checked here"
                    @if let Some(key) = &signature.key { "; names the key " code { (visible(key)) } }
                }
            },
            (None, Some(_)) => { dt { "Signature" } dd { "none" } },
            (None, None) => {},
        }
    }
}

fn artifacts(lineage: &Lineage, listed: usize) -> Markup {
    if lineage.artifacts == 0 {
        return html! {};
    }
    let by = |how: &str| if how == verified(None) { how.to_owned() } else { format!("verified by {how}") };
    let by: Vec<String> = lineage.verified.iter().map(|(how, count)| format!("{count} {}", by(how))).collect();
    let (first, others) = first_and_others(&lineage.first_artifacts, listed);
    let more = lineage.artifacts - first.len() - others.len();
    html! {
        h3 { (counted(lineage.artifacts, "artifact")) ", " (HumanBytes(lineage.bytes)) ": " (by.join(", ")) }
        (table_of_artifacts(first))
        @if !others.is_empty() { (collapsed(others.len(), "artifact", &table_of_artifacts(others))) }
        @if more > 0 { p.m { "and " (counted(more, "more artifact")) ", which the record lists" } }
    }
}

fn table_of_artifacts(artifacts: &[ArtifactFacts]) -> Markup {
    html! {
        table.o {
            thead { tr { th scope="col" { "Source" } th.n scope="col" { "Size" } th scope="col" { "Verified by" } } }
            tbody {
                @for artifact in artifacts {
                    tr {
                        td { code { (visible(&artifact.source.to_string())) } }
                        td.n { (HumanBytes(artifact.bytes)) }
                        td { (verified(artifact.verified)) }
                    }
                }
            }
        }
    }
}

fn differences(lineage: &Lineage, listed: usize) -> Markup {
    if !lineage.compared {
        return html! { p.m { "The source version was not read, so its fields are not compared" } };
    }
    let (first, others) = first_and_others(&lineage.differences, listed);
    let more = lineage.differing - first.len() - others.len();
    html! {
        h3 { @if lineage.differing == 0 { "No field differs" } @else { (counted(lineage.differing, "field")) @if lineage.differing == 1 { " differs" } @else { " differ" } " between source and promoted version" } }
        @if !first.is_empty() { (table_of_fields(first)) }
        @if !others.is_empty() { (collapsed(others.len(), "field", &table_of_fields(others))) }
        @if more > 0 {
            p.m { "and " (counted(more, "more field")) ", which " code { "aws sagemaker describe-model-package" } " shows for both versions" }
        }
    }
}

fn table_of_fields(differences: &[FieldDifference]) -> Markup {
    html! {
        table.f {
            thead { tr { th scope="col" { "Field" } th scope="col" { "Source" } th scope="col" { "Promoted" } } }
            tbody { @for difference in differences { (field(difference)) } }
        }
    }
}

/// The entries that are shown at once, and those that are collapsed.
fn first_and_others<T>(entries: &[T], listed: usize) -> (&[T], &[T]) {
    let entries = &entries[..entries.len().min(listed)];
    entries.split_at(entries.len().min(FIRST))
}

fn collapsed(count: usize, noun: &str, table: &Markup) -> Markup {
    html! { details { summary { " and " (counted(count, &format!("more {noun}"))) } (table) } }
}

fn field(difference: &FieldDifference) -> Markup {
    html! {
        tr {
            td {
                code { (visible(&difference.field)) } " "
                @if difference.drift { span.w { "drift" } } @else { span.m { "set by the promotion" } }
            }
            td { code { (value(difference.source.as_ref())) } }
            td { code { (value(difference.promoted.as_ref())) } }
        }
    }
}
