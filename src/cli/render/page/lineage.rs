//! The lineage of a version.

use indicatif::HumanBytes;
use maud::{Markup, html};

use super::super::images::outcome;
use super::text::{counted, minute, value, visible};
use crate::model::approval::DecidedBy;
use crate::run::lineage::{FieldDifference, Lineage, NamedImage, verified};
use crate::run::standing::{Row, Side};

/// What is known of a promoted version.
pub fn of(row: &Row, lineage: &Lineage) -> Markup {
    html! {
        dl {
            @if let Some(from) = &row.promoted_from { dt { "Source version" } dd { code { (from) } } }
            @if let Some(side) = &row.source { dt { "Registered at the source" } dd { (minute(&side.created)) } }
            @if let Some(side) = &row.target { (promoted(side)) }
            (approval(lineage))
            @for image in &lineage.images { dt { "Image" } dd { (named(image)) } }
            (record(lineage))
        }
        (artifacts(lineage))
        (differences(lineage))
    }
}

fn promoted(side: &Side) -> Markup {
    html! {
        dt { "Promoted version" } dd { code { (side.model_package_arn) } }
        dt { "Registered in the target" } dd { (minute(&side.created)) }
        @if let Some(modified) = &side.modified { dt { "Last changed" } dd { (minute(modified)) } }
    }
}

fn approval(lineage: &Lineage) -> Markup {
    let decided = match lineage.decided_by {
        Some(DecidedBy::Source) => Some("the source: its approval is carried over"),
        Some(DecidedBy::Nobody) => Some("nobody yet"),
        Some(DecidedBy::Target) => Some("somebody in the target account"),
        None => None,
    };
    html! {
        @if let Some(reason) = &lineage.source_approval { dt { "Approval at the source" } dd { (visible(reason)) } }
        @if let Some(by) = &lineage.source_changed_by { dt { "Source last changed by" } dd { code { (visible(by)) } } }
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

fn artifacts(lineage: &Lineage) -> Markup {
    if lineage.artifacts == 0 {
        return html! {};
    }
    let by = |how: &str| if how == verified(None) { how.to_owned() } else { format!("verified by {how}") };
    let by: Vec<String> = lineage.verified.iter().map(|(how, count)| format!("{count} {}", by(how))).collect();
    let more = lineage.artifacts - lineage.first_artifacts.len();
    html! {
        h3 { (counted(lineage.artifacts, "artifact")) ", " (HumanBytes(lineage.bytes)) ": " (by.join(", ")) }
        table.o {
            thead { tr { th scope="col" { "Source" } th.n scope="col" { "Size" } th scope="col" { "Verified by" } } }
            tbody {
                @for artifact in &lineage.first_artifacts {
                    tr {
                        td { code { (visible(&artifact.source.to_string())) } }
                        td.n { (HumanBytes(artifact.bytes)) }
                        td { (verified(artifact.verified)) }
                    }
                }
            }
        }
        @if more > 0 { p.m { (counted(more, "more artifact")) " in the record" } }
    }
}

fn differences(lineage: &Lineage) -> Markup {
    if !lineage.compared {
        return html! { p.m { "The source version was not read, so its fields are not compared" } };
    }
    let more = lineage.differing - lineage.differences.len();
    html! {
        h3 { @if lineage.differing == 0 { "No field differs" } @else { (counted(lineage.differing, "field")) @if lineage.differing == 1 { " differs" } @else { " differ" } " between source and promoted version" } }
        @if !lineage.differences.is_empty() {
            table.f {
                thead { tr { th scope="col" { "Field" } th scope="col" { "Source" } th scope="col" { "Promoted" } } }
                tbody { @for difference in &lineage.differences { (field(difference)) } }
            }
        }
        @if more > 0 { p.m { (counted(more, "more field")) } }
    }
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
