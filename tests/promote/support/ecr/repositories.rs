//! CreateRepository and DescribeRepositories.

use super::{Ask, Repository, invalid, no_repository};
use crate::support::wire::Refusal;
use regex::Regex;
use serde_json::{Value, json};

const NAME: &str = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$";

/// CreateRepository: in the registry of the caller only.
pub fn create(ask: Ask) -> Result<Value, Refusal> {
    let name = ask.required("repositoryName")?.to_owned();
    ask.allow(&name)?;
    let request = &ask.request;
    if !(2..=256).contains(&name.len()) || !Regex::new(NAME).expect("a pattern").is_match(&name) {
        return Err(invalid(&format!("Invalid parameter at 'repositoryName' failed to satisfy constraint: '{NAME}'")));
    }
    let account = ask.account();
    if account != ask.who.account {
        return Err(invalid("Repositories are created in the registry of the caller"));
    }
    if ask.looked_up(&name).is_some() {
        let message = format!("The repository with name '{name}' already exists in the registry with id '{account}'");
        return Err(Refusal::new(400, "RepositoryAlreadyExistsException", message));
    }
    if request.get("tags").is_some() {
        ask.allow_as("TagResource", &name)?;
    }
    let mutability = request["imageTagMutability"].as_str().unwrap_or("MUTABLE");
    let exclusions: Vec<String> = filters(request);
    if mutability.ends_with("_WITH_EXCLUSION") == exclusions.is_empty() {
        return Err(invalid(
            "Exclusion filters go with the mutability settings that have exclusions, and only with them",
        ));
    }
    let repository = Repository {
        mutability: mutability.to_owned(),
        exclusions,
        scan_on_push: request["imageScanningConfiguration"]["scanOnPush"].as_bool().unwrap_or(false),
        encryption: request.get("encryptionConfiguration").cloned().unwrap_or(json!({ "encryptionType": "AES256" })),
        ..Repository::default()
    };
    let shown = shown(&account, &ask.region, &name, &repository);
    ask.world.ecr.repositories.entry((account, ask.region.clone())).or_default().insert(name, repository);
    Ok(json!({ "repository": shown }))
}

fn filters(request: &Value) -> Vec<String> {
    let listed = request["imageTagMutabilityExclusionFilters"].as_array().into_iter().flatten();
    listed.filter_map(|filter| filter["filter"].as_str().map(str::to_owned)).collect()
}

/// DescribeRepositories: the named ones, or all.
pub fn describe(ask: Ask) -> Result<Value, Refusal> {
    let account = ask.account();
    let Some(names) = ask.request["repositoryNames"].as_array() else {
        ask.allow("*")?;
        let registry = ask.world.ecr.repositories.get(&(account.clone(), ask.region.clone()));
        let all = registry.into_iter().flatten().map(|(name, found)| shown(&account, &ask.region, name, found));
        return Ok(json!({ "repositories": all.collect::<Vec<_>>() }));
    };
    let mut all = Vec::new();
    for name in names.iter().filter_map(Value::as_str) {
        ask.allow(name)?;
        let found = ask.looked_up(name).ok_or_else(|| no_repository(name, &account))?;
        all.push(shown(&account, &ask.region, name, found));
    }
    Ok(json!({ "repositories": all }))
}

/// GetRepositoryPolicy.
pub fn policy(mut ask: Ask) -> Result<Value, Refusal> {
    let (account, name) = (ask.account(), ask.name().to_owned());
    match &ask.repository()?.policy {
        Some(policy) => Ok(json!({ "registryId": account, "repositoryName": name, "policyText": policy.to_string() })),
        None => {
            let message = format!("Repository policy does not exist for the repository with name '{name}'");
            Err(Refusal::new(400, "RepositoryPolicyNotFoundException", message))
        }
    }
}

fn shown(account: &str, region: &str, name: &str, repository: &Repository) -> Value {
    let mut shown = json!({
        "repositoryArn": format!("arn:aws:ecr:{region}:{account}:repository/{name}"),
        "registryId": account,
        "repositoryName": name,
        "repositoryUri": format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"),
        "createdAt": 1_700_000_000.0,
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": { "scanOnPush": repository.scan_on_push },
        "encryptionConfiguration": repository.encryption,
    });
    if !repository.exclusions.is_empty() {
        let filters = repository.exclusions.iter().map(|filter| json!({ "filterType": "WILDCARD", "filter": filter }));
        shown["imageTagMutabilityExclusionFilters"] = filters.collect();
    }
    shown
}
