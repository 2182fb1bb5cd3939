//! ListModelPackages, with the service's surprising defaults.

use super::package::Package;
use super::{Ask, Place, groups, invalid};
use crate::support::wire::Refusal;
use serde_json::{Value, json};

/// The members that a summary shows.
const SUMMARY: [&str; 10] = [
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
];

/// ListModelPackages.
pub fn list(ask: &Ask) -> Result<Value, Refusal> {
    let group = match ask.request.get("ModelPackageGroupName").and_then(Value::as_str) {
        Some(reference) => Some(ask.place(reference)?),
        None => None,
    };
    let account = group.as_ref().map_or(&ask.who.account, |place| &place.account).clone();
    let name = group.as_ref().map_or("*".to_owned(), |place| format!("{}/*", place.name));
    ask.allow("model-package", &Place { account: account.clone(), name })?;
    let registry = ask.looked_up(&account);
    if let Some(place) = &group
        && !registry.and_then(|registry| registry.groups.get(&place.name)).is_some_and(|group| group.is_seen(ask))
    {
        return Err(groups::absent(ask, place));
    }
    let size = page_size(ask)?;
    let (empty, start) = position(ask)?;
    if empty {
        return Ok(json!({ "ModelPackageSummaryList": [], "NextToken": format!("page:{start}") }));
    }
    let mut found: Vec<(&Package, &Value)> = registry
        .into_iter()
        .flat_map(|registry| &registry.packages)
        .filter(|package| is_of(ask, package, group.as_ref()))
        .filter_map(|package| Some((package, package.seen(ask.world.options.registry.listed)?)))
        .filter(|(_, shown)| meant(ask, shown))
        .collect();
    sort(ask, &mut found);
    let page: Vec<Value> = found.iter().skip(start).take(size).map(|(_, shown)| summary(shown)).collect();
    let mut answer = json!({ "ModelPackageSummaryList": page });
    if start + size < found.len() {
        let kind = if ask.world.options.registry.empty_pages { "empty" } else { "page" };
        answer["NextToken"] = json!(format!("{kind}:{}", start + size));
    }
    Ok(answer)
}

pub fn page_size(ask: &Ask) -> Result<usize, Refusal> {
    match ask.request.get("MaxResults").map(Value::as_u64) {
        None => Ok(10),
        Some(Some(size)) if (1..=100).contains(&size) => Ok(size as usize),
        Some(_) => Err(invalid(
            "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have \
            value between 1 and 100",
        )),
    }
}

/// Whether an empty page is due, and where the next one starts.
pub fn position(ask: &Ask) -> Result<(bool, usize), Refusal> {
    let Some(token) = ask.request.get("NextToken").and_then(Value::as_str) else {
        return Ok((ask.world.options.registry.empty_pages, 0));
    };
    let (kind, start) = token.split_once(':').unwrap_or((token, ""));
    let start = start.parse().map_err(|_| invalid("Invalid pagination token"))?;
    Ok((kind == "empty", start))
}

fn is_of(ask: &Ask, package: &Package, group: Option<&Place>) -> bool {
    let kind = match ask.text("ModelPackageType") {
        "Versioned" => package.group.is_some(),
        "Both" => true,
        _ => package.group.is_none(),
    };
    let name = package.group.as_deref().or(package.shown["ModelPackageName"].as_str()).unwrap_or("");
    kind && group.is_none_or(|place| package.group.as_ref() == Some(&place.name))
        && name.contains(ask.text("NameContains"))
}

fn meant(ask: &Ask, shown: &Value) -> bool {
    let created = shown["CreationTime"].as_f64().unwrap_or(0.0);
    let status = ask.request.get("ModelApprovalStatus");
    status.is_none_or(|status| shown["ModelApprovalStatus"] == *status)
        && ask.request["CreationTimeAfter"].as_f64().is_none_or(|after| created > after)
        && ask.request["CreationTimeBefore"].as_f64().is_none_or(|before| created < before)
}

fn sort(ask: &Ask, found: &mut [(&Package, &Value)]) {
    let time = |shown: &Value| shown["CreationTime"].as_f64().unwrap_or(0.0);
    match ask.text("SortBy") {
        "Name" => found.sort_by_key(|(package, _)| (package.group.clone(), package.version)),
        _ => found.sort_by(|(_, a), (_, b)| time(a).total_cmp(&time(b))),
    }
    if ask.text("SortOrder") == "Descending" {
        found.reverse();
    }
}

fn summary(shown: &Value) -> Value {
    let members = SUMMARY.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(name)?.clone())));
    Value::Object(members.collect())
}
