//! Renders the result of `promote status` as one HTML file: no script, and nothing from elsewhere.

mod group;
mod lineage;
mod section;
mod summary;
mod text;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::record::Tool;
use crate::run::StatusReport;
pub(super) use section::GroupSection;
use text::{minute, visible};

const STYLE: &str = include_str!("style.css");

/// The limit of all sections together, in bytes. With the table of 200 groups and their lineages, the page stays below
/// 1 MB, which mail and object viewers show.
const BYTES: usize = 850_000;

/// What the page shows.
pub(super) struct Page<'a> {
    /// Each group.
    pub groups: Vec<GroupSection<'a>>,
}

impl Page<'_> {
    /// The file.
    pub fn html(&self) -> String {
        let hash = aws_smithy_types::base64::encode(Sha256::digest(STYLE));
        let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width";
                    meta name="referrer" content="no-referrer";
                    title { "Promotions" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header { h1 { "Promotions" } (self.head()) }
                    main {
                        (summary::table(&self.groups))
                        @for section in self.sections() { (section) }
                    }
                }
            }
        };
        page.into_string()
    }

    /// The section of each group. Groups share the bytes that the sections before them have left.
    fn sections(&self) -> Vec<Markup> {
        let mut left = BYTES;
        let groups = self.groups.iter().enumerate().map(|(number, group)| {
            let section = group::section(number, group, left / (self.groups.len() - number));
            left = left.saturating_sub(section.0.len());
            section
        });
        groups.collect()
    }

    fn head(&self) -> Markup {
        let read = self.groups.iter().filter_map(|group| group.result.ok());
        let reports: Vec<&StatusReport> = read.collect();
        let distinct = |of: &dyn Fn(&StatusReport) -> Option<String>| -> BTreeSet<String> {
            reports.iter().filter_map(|report| of(report)).collect()
        };
        let place = |account: &str, region: &str| format!("account {account}, {region}");
        let sources = distinct(&|report| {
            let group = report.source_group.as_ref()?;
            let caller = report.source_caller.as_ref().map(|caller| format!(", read by {caller}")).unwrap_or_default();
            Some(format!("{}{caller}", place(group.account().as_str(), group.region().as_str())))
        });
        let targets = distinct(&|report| {
            let group = &report.target_group;
            Some(format!(
                "{}, read by {}",
                place(group.account().as_str(), group.region().as_str()),
                report.target_caller
            ))
        });
        let last = reports.iter().map(|report| report.read.as_str()).max();
        let Tool { name, version } = Tool::default();
        html! {
            dl {
                @if let Some(last) = last { dt { "Read" } dd { (minute(last)) } }
                @for source in sources { dt { "Source" } dd { (visible(&source)) } }
                @for target in targets { dt { "Target" } dd { (visible(&target)) } }
                dt { "Written by" } dd { (name) " " (version) }
            }
        }
    }
}
