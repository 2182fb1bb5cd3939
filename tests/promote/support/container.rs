//! The endpoint that gives a container the credentials of its role: a principal's name in, short-lived keys as JSON out.

use super::principals::Principal;
use super::s3::dates;
use super::wire::{Answer, Refusal, Request};
use super::world::World;
use serde_json::json;

/// Where it is, before the principal.
pub const PATH: &str = "/credentials/";

/// The operation and what it is about.
pub fn name(request: &Request) -> (String, String) {
    ("GetCredentials".to_owned(), request.path.trim_start_matches(PATH).to_owned())
}

/// Whoever asks gets them: the endpoint can be reached from the container only.
pub fn answer(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let (_, asked) = name(request);
    let who = Principal::ALL.into_iter().find(|one| format!("{one:?}") == asked);
    let who = who.ok_or_else(|| Refusal::new(404, "NotFound", "no such role"))?;
    let (key, lent) = world.lend(who.identity());
    Ok(Answer::json(&json!({
        "AccessKeyId": key,
        "SecretAccessKey": "secret",
        "Token": lent.token,
        "Expiration": dates::iso(lent.expires),
    })))
}

pub fn refuse(refusal: &Refusal) -> Answer {
    Answer::json(&json!({ "code": refusal.code, "message": refusal.message }))
}
