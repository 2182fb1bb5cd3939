//! STS: GetCallerIdentity and AssumeRole, as forms in and XML out.

use super::principals::{Identity, Principal, SOURCE_ACCOUNT, Session, TARGET_ACCOUNT};
use super::s3::dates;
use super::wire::{Answer, Refusal, Request, escape, form};
use super::world::World;
use std::collections::BTreeMap;

/// The operation and what it is about.
pub fn name(request: &Request) -> (String, String) {
    let members = members(request);
    let member = |name: &str| members.get(name).cloned().unwrap_or_default();
    (member("Action"), member("RoleArn"))
}

pub fn members(request: &Request) -> BTreeMap<String, String> {
    form(std::str::from_utf8(&request.body).unwrap_or(""))
}

pub fn answer(world: &mut World, who: &Identity, request: &Request) -> Result<Answer, Refusal> {
    let members = members(request);
    match members.get("Action").map(String::as_str) {
        Some("GetCallerIdentity") => Ok(caller_identity(who)),
        Some("AssumeRole") => assume_role(world, who, &members),
        _ => Err(Refusal::new(400, "InvalidAction", "Could not find that operation")),
    }
}

pub fn refuse(refusal: &Refusal, id: &str) -> Answer {
    let code = match refusal.code.as_str() {
        "InvalidAccessKeyId" | "InvalidToken" => "InvalidClientTokenId",
        code => code,
    };
    Answer::xml(format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>\
        {}</Code><Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&refusal.message)
    ))
}

fn caller_identity(who: &Identity) -> Answer {
    wrapped(
        "GetCallerIdentity",
        &format!(
            "<Arn>{}</Arn><UserId>AIDA{}</UserId><Account>{}</Account>",
            escape(&who.arn),
            who.account,
            who.account
        ),
    )
}

fn assume_role(world: &mut World, who: &Identity, members: &BTreeMap<String, String>) -> Result<Answer, Refusal> {
    let missing = |name: &str| {
        Refusal::new(
            400,
            "ValidationError",
            format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must \
                not be null"
            ),
        )
    };
    let role_arn = members.get("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let name = members.get("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(Refusal::new(
            400,
            "ValidationError",
            format!("Value '{name}' at 'roleSessionName' failed to satisfy constraint"),
        ));
    }
    let (account, role) = role_arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
        .ok_or_else(|| Refusal::new(400, "ValidationError", format!("{role_arn} is invalid")))?;
    // An endpoint that answers for another account.
    let account = if role.contains("elsewhere") { SOURCE_ACCOUNT } else { account };
    let forbidden = role.contains("forbidden") || who.principal == Principal::Stranger;
    if forbidden || !world.may(who, "sts:AssumeRole", role_arn, &who.account) {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", who.arn),
        ));
    }
    let session =
        Session { role_arn: role_arn.clone(), name: name.clone(), external_id: members.get("ExternalId").cloned() };
    Ok(open(world, account, role, session))
}

fn open(world: &mut World, account: &str, role: &str, session: Session) -> Answer {
    let role = role.rsplit('/').next().unwrap_or(role);
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{}", session.name);
    let identity = Identity {
        principal: rights(account, role),
        account: account.to_owned(),
        arn: arn.clone(),
        session: Some(session),
    };
    let (key, lent) = world.lend(identity);
    let (token, expires) = (lent.token, dates::iso(lent.expires));
    wrapped(
        "AssumeRole",
        &format!(
            "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>\
            {token}</SessionToken><Expiration>{expires}</Expiration></Credentials><AssumedRoleUser>\
            <Arn>{}</Arn><AssumedRoleId>AROA:{key}</AssumedRoleId></AssumedRoleUser>",
            escape(&arn)
        ),
    )
}

/// A role of the target account whose name says `both` may read the source as well.
fn rights(account: &str, role: &str) -> Principal {
    match account {
        SOURCE_ACCOUNT => Principal::Source,
        TARGET_ACCOUNT if role.contains("both") => Principal::Both,
        TARGET_ACCOUNT => Principal::Target,
        _ => Principal::Stranger,
    }
}

fn wrapped(operation: &str, result: &str) -> Answer {
    Answer::xml(format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>\
        {result}</{operation}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>\
        </{operation}Response>"
    ))
}
