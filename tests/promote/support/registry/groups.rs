//! Model package groups and tags.

use super::{Ask, Place, context, group_arn, invalid, list};
use crate::support::principals;
use crate::support::wire::Refusal;
use crate::support::world::World;
use serde_json::{Map, Value, json};
use std::time::Instant;

pub struct Group {
    /// As describing it answers.
    shown: Value,
    tags: Vec<Value>,
    /// What GetModelPackageGroupPolicy answers. The rights of callers do not depend on it.
    policy: Option<Value>,
    created: Instant,
    by_call: bool,
}

impl Group {
    /// Whether Describe and List show the group yet.
    pub fn is_seen(&self, ask: &Ask) -> bool {
        !self.by_call || self.created.elapsed() >= ask.world.options.registry.group_lag
    }

    /// Gives the group a policy to be read.
    pub fn set_policy(&mut self, policy: Value) {
        self.policy = Some(policy);
    }

    pub fn with_tags(&self) -> Value {
        let mut shown = self.shown.clone();
        shown["Tags"] = json!(self.tags);
        shown
    }
}

/// Makes a group unless it is there; gives its ARN.
pub fn create(world: &mut World, account: &str, region: &str, name: &str, members: Value) -> String {
    insert(world, account, region, name, members, None)
}

/// `creator`: who has called; nobody where a test makes the group.
fn insert(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    mut members: Value,
    creator: Option<&str>,
) -> String {
    let by_call = creator.is_some();
    let creator = creator.map_or_else(|| format!("arn:aws:iam::{account}:root"), str::to_owned);
    let arn = group_arn(account, region, name);
    let now = world.now();
    let tags = members.as_object_mut().and_then(|members| members.remove("Tags"));
    let mut shown = Map::from_iter([
        ("ModelPackageGroupName".to_owned(), json!(name)),
        ("ModelPackageGroupArn".to_owned(), json!(arn)),
        ("CreationTime".to_owned(), json!(now)),
        ("CreatedBy".to_owned(), context(&creator)),
        ("ModelPackageGroupStatus".to_owned(), json!("Completed")),
    ]);
    shown.extend(members.as_object().cloned().unwrap_or_default());
    let tags = tags.and_then(|tags| tags.as_array().cloned()).unwrap_or_default();
    let group = Group { shown: Value::Object(shown), tags, policy: None, created: Instant::now(), by_call };
    world.registry(account, region).groups.entry(name.to_owned()).or_insert(group);
    arn
}

/// CreateModelPackageGroup.
pub fn answer_create(ask: Ask) -> Result<Value, Refusal> {
    let place = ask.place(ask.text("ModelPackageGroupName"))?;
    let name = place.name.clone();
    ask.allow("model-package-group", &place)?;
    if ask.request.get("Tags").is_some() {
        ask.allow_also("AddTags", "model-package-group", &place)?;
    }
    let tags = ask.request["Tags"].as_array().into_iter().flatten();
    let is_refused = !ask.world.options.registry.reserved_tags;
    if is_refused && tags.filter_map(|tag| tag["Key"].as_str()).any(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    if ask.looked_up(&place.account).is_some_and(|registry| registry.groups.contains_key(&name)) {
        let arn = group_arn(&place.account, &ask.region, &name);
        return Err(invalid(&format!("Model Package Group already exists: {arn}")));
    }
    let members = ask.request.clone();
    let arn = insert(ask.world, &place.account, &ask.region, &name, members, Some(&ask.who.arn));
    Ok(json!({ "ModelPackageGroupArn": arn }))
}

/// DeleteModelPackageGroup, of a group without versions.
pub fn delete(mut ask: Ask) -> Result<Value, Refusal> {
    let place = ask.place(ask.text("ModelPackageGroupName"))?;
    ask.allow("model-package-group", &place)?;
    let refusal = absent(&ask, &place);
    ask.registry(&place.account).groups.remove(&place.name).map(|_| json!({})).ok_or(refusal)
}

/// DescribeModelPackageGroup.
pub fn describe(ask: &Ask) -> Result<Value, Refusal> {
    let place = ask.place(ask.text("ModelPackageGroupName"))?;
    ask.allow("model-package-group", &place)?;
    let group = ask.looked_up(&place.account).and_then(|registry| registry.groups.get(&place.name));
    let group = group.filter(|group| group.is_seen(ask));
    group.map(|group| group.shown.clone()).ok_or_else(|| absent(ask, &place))
}

pub fn absent(ask: &Ask, place: &Place) -> Refusal {
    let arn = group_arn(&place.account, &ask.region, &place.name);
    invalid(&format!("ModelPackageGroup {arn} does not exist."))
}

/// ListModelPackageGroups: the caller's own, or those of other accounts that the caller may describe, as if they were
/// shared with AWS RAM. Sorted by name.
pub fn list(ask: &Ask) -> Result<Value, Refusal> {
    ask.allow("model-package-group", &Place { account: ask.who.account.clone(), name: "*".to_owned() })?;
    let size = list::page_size(ask)?;
    let start = list::position(ask)?.1;
    let others = ask.text("CrossAccountFilterOption") == "CrossAccount";
    let registries = ask
        .world
        .registries
        .iter()
        .filter(|((account, region), _)| *region == ask.region && (*account != ask.who.account) == others);
    let groups =
        registries.flat_map(|((account, _), registry)| registry.groups.values().map(move |group| (account, group)));
    let is_shown = |(account, group): &(&String, &Group)| {
        let arn = group.shown["ModelPackageGroupArn"].as_str().unwrap_or("");
        let action = "sagemaker:DescribeModelPackageGroup";
        group.is_seen(ask)
            && (!others || principals::may((&ask.world.rules, &ask.world.policies), ask.who, action, arn, account))
    };
    let mut shown: Vec<&Value> = groups.filter(is_shown).map(|(_, group)| &group.shown).collect();
    shown.sort_by_key(|group| group["ModelPackageGroupName"].as_str().unwrap_or("").to_owned());
    let members = [
        "ModelPackageGroupName",
        "ModelPackageGroupArn",
        "ModelPackageGroupDescription",
        "CreationTime",
        "ModelPackageGroupStatus",
    ];
    let summary = |group: &&Value| {
        let members = members.iter().filter_map(|name| Some(((*name).to_owned(), group.get(name)?.clone())));
        Value::Object(members.collect())
    };
    let page: Vec<Value> = shown.iter().skip(start).take(size).map(summary).collect();
    let mut answer = json!({ "ModelPackageGroupSummaryList": page });
    if start + size < shown.len() {
        answer["NextToken"] = json!(format!("page:{}", start + size));
    }
    Ok(answer)
}

/// GetModelPackageGroupPolicy. Takes names only, so that it answers for the caller's own groups.
pub fn policy(ask: &Ask) -> Result<Value, Refusal> {
    let place = ask.place(ask.text("ModelPackageGroupName"))?;
    ask.allow("model-package-group", &place)?;
    let arn = group_arn(&place.account, &ask.region, &place.name);
    let group = ask.looked_up(&place.account).and_then(|registry| registry.groups.get(&place.name));
    let group = group.ok_or_else(|| invalid(&format!("Cannot find Model Package Group: {arn}")))?;
    let policy = group.policy.as_ref().ok_or_else(|| invalid(&format!("Cannot find resource policy for: {arn}")))?;
    Ok(json!({ "ResourcePolicy": policy.to_string() }))
}

/// ListTags of a group; packages have their group's.
pub fn list_tags(ask: &Ask) -> Result<Value, Refusal> {
    let (place, name) = tagged(ask)?;
    let group = ask.looked_up(&place.account).and_then(|registry| registry.groups.get(&name));
    let group = group.ok_or_else(|| absent(ask, &place))?;
    Ok(json!({ "Tags": group.tags }))
}

/// AddTags to a group.
pub fn add_tags(mut ask: Ask) -> Result<Value, Refusal> {
    let (place, name) = tagged(&ask)?;
    let refusal = absent(&ask, &place);
    let more = ask.request["Tags"].as_array().cloned().unwrap_or_default();
    let group = ask.registry(&place.account).groups.get_mut(&name).ok_or(refusal)?;
    for tag in more {
        group.tags.retain(|old| old["Key"] != tag["Key"]);
        group.tags.push(tag);
    }
    Ok(json!({ "Tags": group.tags }))
}

fn tagged(ask: &Ask) -> Result<(Place, String), Refusal> {
    let arn = ask.text("ResourceArn");
    let place = ask.place(arn)?;
    let kind = if arn.contains(":model-package/") { "model-package" } else { "model-package-group" };
    ask.allow(kind, &place)?;
    let name = place.name.split('/').next().unwrap_or("").to_owned();
    Ok((place, name))
}
