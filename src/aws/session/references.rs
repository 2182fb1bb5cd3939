//! What a profile's credentials refer to: another profile, an SSO session, a token file.
//!
//! The SDK's messages on references that do not exist name neither the file nor the key.

use super::files::{Files, ProfileValue};
use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller};

const KEY: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN_FILE: &str = "web_identity_token_file";
const TOKEN_VARIABLE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// The keys that make the SDK use a profile's credentials.
const CREDENTIALS: [&str; 13] = [
    "role_arn",
    "credential_source",
    TOKEN_FILE,
    "sso_session",
    "sso_account_id",
    "sso_role_name",
    "sso_region",
    "sso_start_url",
    "login_session",
    "credential_process",
    KEY,
    SECRET,
    "aws_session_token",
];

/// The values of `credential_source`.
const SOURCES: [&str; 3] = ["Environment", "Ec2InstanceMetadata", "EcsContainer"];

/// Checks what the credentials of a session refer to. `is_chosen` if the profile was passed: otherwise, the credentials of
/// the environment precede those of the profile.
pub(super) async fn check_references(
    surroundings: &Surroundings,
    caller: &Caller,
    files: &Files,
    profile: &str,
    is_chosen: bool,
) -> Result<(), CallError> {
    let checked = References { surroundings, caller, files };
    if !is_chosen {
        let [key, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| surroundings.env.get(name));
        match (key.is_ok_and(|key| !key.trim().is_empty()), secret.is_ok_and(|secret| !secret.trim().is_empty())) {
            (true, true) => return Ok(()),
            (true, false) if surroundings.given("SECRET_ACCESS_KEY").is_some() => return Ok(()),
            (true, false) => {
                let hint = "Set both, or unset AWS_ACCESS_KEY_ID".to_owned();
                return Err(refused(caller, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY".to_owned(), hint));
            }
            (false, _) => {}
        }
    }
    match CREDENTIALS.iter().any(|key| files.get(profile, key).is_some()) {
        true => checked.profile(profile).await,
        false if is_chosen => Ok(()),
        false => checked.token_of_environment().await,
    }
}

struct References<'a> {
    surroundings: &'a Surroundings,
    caller: &'a Caller,
    files: &'a Files,
}

impl<'a> References<'a> {
    /// Follows the source profiles as the SDK does.
    async fn profile(&self, mut profile: &'a str) -> Result<(), CallError> {
        let mut seen = Vec::new();
        loop {
            // The access key of a source profile precedes its role.
            let has_key = self.get(profile, KEY).is_some() && self.get(profile, SECRET).is_some();
            if !seen.is_empty() && has_key {
                return Ok(());
            }
            seen.push(profile);
            match self.source(profile)? {
                None => return self.base(profile).await,
                Some(source) if source.text == profile => return self.base(profile).await,
                Some(source) if !self.files.has(source.text) => {
                    let wrong = format!("names the profile '{}', which does not exist", source.text.escape_debug());
                    return Err(self.incorrect(source, &wrong));
                }
                Some(source) if seen.contains(&source.text) => {
                    let wrong =
                        format!("names the profile '{}', which has this one as its source", source.text.escape_debug());
                    return Err(self.incorrect(source, &wrong));
                }
                Some(source) => profile = source.text,
            }
        }
    }

    /// The profile whose credentials assume the role of this one; nothing if no profile does.
    fn source(&self, profile: &'a str) -> Result<Option<ProfileValue<'a>>, CallError> {
        let Some(role) = self.get(profile, "role_arn").filter(|_| self.get(profile, TOKEN_FILE).is_none()) else {
            return Ok(None);
        };
        match (self.get(profile, "source_profile"), self.get(profile, "credential_source")) {
            (Some(source), None) => Ok(Some(source)),
            (None, Some(_)) => Ok(None),
            (Some(source), Some(_)) => {
                let hint = format!("Remove one of `source_profile` and `credential_source` of profile '{profile}'");
                Err(source.refused(self.caller, "stands beside credential_source", &hint))
            }
            (None, None) => {
                let hint = format!("Give profile '{profile}' a `source_profile` or a `credential_source`");
                let wrong = "is a role without a source_profile or a credential_source to assume it with";
                Err(role.refused(self.caller, wrong, &hint))
            }
        }
    }

    /// Checks credentials that need no others.
    async fn base(&self, profile: &'a str) -> Result<(), CallError> {
        if let Some(source) = self.get(profile, "credential_source") {
            return match SOURCES.iter().any(|known| known.eq_ignore_ascii_case(source.text)) {
                true => Ok(()),
                false => {
                    let hint =
                        format!("Set `credential_source` of profile '{profile}' to one of {}", SOURCES.join(", "));
                    Err(source.refused(self.caller, &format!("is '{}'", source.text.escape_debug()), &hint))
                }
            };
        }
        if let Some(file) = self.get(profile, TOKEN_FILE) {
            let read = self.surroundings.fs.read_to_end(file.text).await;
            let wrong = |error| format!("is '{}': {error}", file.text.escape_debug());
            return read.map(drop).map_err(|error| self.incorrect(file, &wrong(error)));
        }
        if let Some(session) = self.get(profile, "sso_session") {
            if self.files.has_sso_session(session.text) {
                return Ok(());
            }
            let hint = format!(
                "Correct `sso_session` of profile '{profile}', or set the session up with `aws configure sso-session`"
            );
            let wrong = format!("names the SSO session '{}', which does not exist", session.text.escape_debug());
            return Err(session.refused(self.caller, &wrong, &hint));
        }
        let other = CREDENTIALS.iter().take_while(|key| **key != KEY).any(|key| self.get(profile, key).is_some());
        if other { Ok(()) } else { self.access_key(profile) }
    }

    /// Rejects an access key without its secret, and a secret without its access key.
    fn access_key(&self, profile: &'a str) -> Result<(), CallError> {
        let (alone, lacks) = match (self.get(profile, KEY), self.get(profile, SECRET)) {
            (Some(key), None) => (key, SECRET),
            (None, Some(secret)) => (secret, KEY),
            (Some(_), Some(_)) | (None, None) => return Ok(()),
        };
        let hint =
            format!("Give profile '{profile}' its `{lacks}`, for example with `aws configure --profile {profile}`");
        Err(alone.refused(self.caller, &format!("is set without {lacks}"), &hint))
    }

    /// Checks the file of the token that the default chain exchanges for credentials.
    async fn token_of_environment(&self) -> Result<(), CallError> {
        let Some(file) = self.surroundings.given(TOKEN_VARIABLE) else { return Ok(()) };
        if self.surroundings.given("AWS_ROLE_ARN").is_none() {
            return Ok(());
        }
        let read = self.surroundings.fs.read_to_end(&file).await;
        let hint = format!("Set {TOKEN_VARIABLE} to a file that can be read, or unset it");
        let wrong = |error| format!("{TOKEN_VARIABLE} is '{}': {error}", file.escape_debug());
        read.map(drop).map_err(|error| refused(self.caller, wrong(error), hint))
    }

    fn get(&self, profile: &'a str, key: &'a str) -> Option<ProfileValue<'a>> {
        self.files.get(profile, key)
    }

    fn incorrect(&self, value: ProfileValue<'_>, wrong: &str) -> CallError {
        value.refused(self.caller, wrong, &format!("Correct `{}` of profile '{}'", value.key, value.profile))
    }
}
