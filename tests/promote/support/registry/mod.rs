//! The SageMaker model registry, awsJson1.1, one registry for each account and region.

mod added;
mod behaviour;
mod groups;
mod list;
mod package;
mod packages;
mod rate;
mod rules;
mod shapes;
mod spelling;

pub use behaviour::{Behaviour, Lag, Lags, Spelling};
pub use groups::create as create_group;
pub use packages::{change, complete, register};
pub use rate::Rate;

use super::principals::{Identity, credential, denial};
use super::wire::{Answer, Refusal, Request};
use super::world::World;
use groups::Group;
use package::Package;
use serde_json::{Value, json};
use spelling::respell;
use std::collections::BTreeMap;

/// The groups and packages of one account in one region.
#[derive(Default)]
pub struct Registry {
    groups: BTreeMap<String, Group>,
    packages: Vec<Package>,
    /// What was created with a client token, and as which ARN.
    pub tokens: BTreeMap<String, (Value, String)>,
    /// The highest version that each group has had: the number of a deleted version is not given out again.
    last_versions: BTreeMap<String, u64>,
}

/// One request with everything that answering it needs.
struct Ask<'a> {
    world: &'a mut World,
    who: &'a Identity,
    operation: &'a str,
    region: String,
    request: Value,
}

/// The operation and the name or ARN that it is about.
pub fn name(request: &Request) -> (String, String) {
    let target = request.header("x-amz-target").unwrap_or("");
    let operation = target.strip_prefix("SageMaker.").unwrap_or(target);
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let members = ["ModelPackageArn", "ModelPackageName", "ModelPackageGroupName", "ResourceArn"];
    let resource = members.iter().find_map(|member| body[member].as_str()).unwrap_or("");
    (operation.to_owned(), resource.to_owned())
}

pub fn answer(world: &mut World, who: &Identity, request: &Request) -> Result<Answer, Refusal> {
    let (operation, _) = name(request);
    let region = credential(request).and_then(|scope| scope.split('/').nth(2)).unwrap_or("");
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))?;
    if !shapes::knows(&operation) {
        let message = format!("{operation} is not implemented by this stand-in");
        return Err(Refusal::new(400, "UnknownOperationException", message));
    }
    shapes::check(&operation, &body).map_err(|message| invalid(&message))?;
    if let Some(rate) = &mut world.options.registry.rate {
        rate.allow(&who.account)?;
    }
    let ask = Ask { world: &mut *world, who, operation: &operation, region: region.to_owned(), request: body };
    let mut value = match ask.operation {
        "CreateModelPackageGroup" => groups::answer_create(ask),
        "DeleteModelPackageGroup" => groups::delete(ask),
        "DescribeModelPackageGroup" => groups::describe(&ask),
        "ListModelPackageGroups" => groups::list(&ask),
        "GetModelPackageGroupPolicy" => groups::policy(&ask),
        "ListTags" => groups::list_tags(&ask),
        "AddTags" => groups::add_tags(ask),
        "ListModelPackages" => list::list(&ask),
        "DescribeModelPackage" => packages::describe(ask),
        "CreateModelPackage" => packages::create(ask),
        "UpdateModelPackage" => packages::update(ask),
        "DeleteModelPackage" => packages::delete(ask),
        _ => Err(invalid("This operation has a shape and no code")),
    }?;
    respell(world, region, &who.account, &mut value);
    Ok(Answer::json(&value))
}

pub fn refuse(refusal: &Refusal) -> Answer {
    let code = match refusal.code.as_str() {
        "InvalidAccessKeyId" | "InvalidToken" => "UnrecognizedClientException",
        "ExpiredToken" => "ExpiredTokenException",
        code => code,
    };
    let mut body = json!({ "__type": code, "message": refusal.message });
    body.as_object_mut().expect("an object").extend(refusal.members.as_object().cloned().unwrap_or_default());
    Answer::json(&body).with("x-amzn-errortype", code)
}

/// The ARN of a group.
pub fn group_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{region}:{account}:model-package-group/{name}")
}

/// What a name or ARN means: the registry's account and the name behind `model-package/` or `model-package-group/`.
struct Place {
    account: String,
    name: String,
}

impl Ask<'_> {
    fn text(&self, member: &str) -> &str {
        self.request[member].as_str().unwrap_or("")
    }

    /// A bare name is the caller's own; an ARN must be of the region that the request is signed for.
    fn place(&self, reference: &str) -> Result<Place, Refusal> {
        let mut place = self.as_spelled(reference)?;
        if self.world.options.registry.spelling != Spelling::default()
            && let Some(registry) = self.looked_up(&place.account)
        {
            let (group, version) = place.name.split_at(place.name.find('/').unwrap_or(place.name.len()));
            place.name = format!("{}{version}", registry.as_created(group));
        }
        Ok(place)
    }

    fn as_spelled(&self, reference: &str) -> Result<Place, Refusal> {
        let Some(arn) = reference.strip_prefix("arn:aws:sagemaker:") else {
            return Ok(Place { account: self.who.account.clone(), name: reference.to_owned() });
        };
        let mut parts = arn.splitn(3, ':');
        let (region, account) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let name = parts.next().and_then(|rest| rest.split_once('/')).map_or("", |(_, name)| name);
        if region != self.region {
            return Err(invalid(&format!("ARN should be scoped to correct region: {}", self.region)));
        }
        Ok(Place { account: account.to_owned(), name: name.to_owned() })
    }

    fn registry(&mut self, account: &str) -> &mut Registry {
        self.world.registry(account, &self.region)
    }

    fn looked_up(&self, account: &str) -> Option<&Registry> {
        self.world.registries.get(&(account.to_owned(), self.region.clone()))
    }

    /// Refuses unless the caller may do this operation to a resource of an account.
    fn allow(&self, kind: &str, place: &Place) -> Result<(), Refusal> {
        self.allow_also(self.operation, kind, place)
    }

    /// Refuses unless the caller may do what the operation does besides.
    fn allow_also(&self, operation: &str, kind: &str, place: &Place) -> Result<(), Refusal> {
        let action = format!("sagemaker:{operation}");
        let resource = format!("arn:aws:sagemaker:{}:{}:{kind}/{}", self.region, place.account, place.name);
        if self.world.may(self.who, &action, &resource, &place.account) {
            return Ok(());
        }
        Err(Refusal::new(400, "AccessDeniedException", denial(self.who, &action, &resource)))
    }
}

impl Registry {
    /// The packages of a group by version.
    pub fn of_group(&self, group: &str) -> Vec<Value> {
        let mut found: Vec<&Package> =
            self.packages.iter().filter(|one| one.group.as_deref() == Some(group) && !one.is_deleted()).collect();
        found.sort_by_key(|package| package.version);
        found.into_iter().map(Package::shown).collect()
    }

    /// Gives a group a policy to be read.
    pub fn set_group_policy(&mut self, name: &str, policy: Value) {
        self.groups.get_mut(name).expect("the group exists").set_policy(policy);
    }

    /// Removes a group and its packages.
    pub fn remove_group(&mut self, name: &str) {
        self.groups.remove(name).expect("the group exists");
        self.packages.retain(|package| package.group.as_deref() != Some(name));
    }

    /// The groups by name, with their tags.
    pub fn groups(&self) -> Vec<Value> {
        self.groups.values().map(Group::with_tags).collect()
    }

    /// ARNs are compared without regard to case: the service writes them in lower case.
    pub fn package(&self, arn: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.is(arn) && !package.is_deleted())
    }

    fn package_mut(&mut self, arn: &str) -> Option<&mut Package> {
        self.packages.iter_mut().find(|package| package.is(arn) && !package.is_deleted())
    }
}

/// Who created or changed something.
fn context(who: &str) -> Value {
    json!({ "IamIdentity": { "Arn": who, "PrincipalId": "AIDAPRINCIPAL" } })
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}
