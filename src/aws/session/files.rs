//! Reads the AWS configuration files: the values of a profile, and the file that sets each.
//!
//! The SDK ignores files that it cannot parse, and panics on some values. Both are rejected here, with the file and
//! profile in the message.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};

use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller};

/// Both files. A value of the first takes precedence, as in the SDK.
const FILES: [(Kind, &str, &str); 2] =
    [(Kind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), (Kind::Config, "AWS_CONFIG_FILE", "config")];

/// The parsed files.
#[derive(Debug)]
pub(super) struct Files {
    /// The paths of both files.
    paths: [PathBuf; 2],
    /// The files that exist.
    files: Vec<(PathBuf, ProfileSet)>,
}

/// A value of a profile, with its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProfileValue<'a> {
    file: &'a Path,
    pub profile: &'a str,
    pub key: &'a str,
    pub text: &'a str,
}

impl Files {
    /// Reads both files.
    ///
    /// # Errors
    /// A file is not UTF-8 text or cannot be parsed.
    pub async fn read(surroundings: &Surroundings, caller: &Caller) -> Result<Self, CallError> {
        let Surroundings { env, fs, .. } = surroundings;
        let paths = FILES.map(|(_, variable, name)| path(surroundings, variable, name));
        let mut files = Vec::new();
        for ((kind, ..), path) in FILES.into_iter().zip(&paths) {
            // A file that cannot be read is ignored, as in the SDK.
            let Ok(content) = fs.read_to_end(path).await else { continue };
            let hint = || "Correct the file".to_owned();
            let place = path.display();
            if std::str::from_utf8(&content).is_err() {
                return Err(refused(caller, format!("{place} is not UTF-8 text"), hint()));
            }
            let only = EnvConfigFiles::builder().with_file(kind, path).build();
            match profile::load(fs, env, &only, None).await {
                Ok(profiles) => files.push((path.clone(), profiles)),
                Err(error) => return Err(refused(caller, one_line(&error), hint())),
            }
        }
        Ok(Self { paths, files })
    }

    /// The value of a key of a profile. An empty value counts as unset.
    pub fn get<'a>(&'a self, profile: &'a str, key: &'a str) -> Option<ProfileValue<'a>> {
        self.find(profile, key).filter(|value| !value.text.is_empty())
    }

    /// The value of a key of a profile, also an empty one.
    pub fn find<'a>(&'a self, profile: &'a str, key: &'a str) -> Option<ProfileValue<'a>> {
        self.files.iter().find_map(|(file, profiles)| {
            let text = profiles.get_profile(profile)?.get(key)?;
            Some(ProfileValue { file, profile, key, text })
        })
    }

    /// Whether a file has the profile.
    pub fn has(&self, profile: &str) -> bool {
        self.files.iter().any(|(_, profiles)| profiles.get_profile(profile).is_some())
    }

    /// Whether a file has the SSO session.
    pub fn has_sso_session(&self, name: &str) -> bool {
        self.files.iter().any(|(_, profiles)| profiles.sso_session(name).is_some())
    }

    /// Rejects a profile that neither file has. The SDK would look for other credentials, or blame its own features.
    pub fn check_exists(&self, caller: &Caller, profile: &str) -> Result<(), CallError> {
        if caller.profile.is_none() || self.has(profile) {
            return Ok(());
        }
        let names: BTreeSet<&str> = self.files.iter().flat_map(|(_, profiles)| profiles.profiles()).collect();
        let files = self.paths.each_ref().map(|path| path.display().to_string()).join(" and ");
        let hint = match names.is_empty() {
            true => format!("{files} have no profile. Create one with `aws configure`"),
            false => {
                let names = names.into_iter().collect::<Vec<_>>().join(", ");
                format!("Set `--{}-profile` to a profile in {files}: {names}", caller.side)
            }
        };
        Err(refused(caller, format!("profile '{profile}' does not exist"), hint))
    }

    /// Rejects roles that need a code of an MFA device, and keys and tokens that an HTTP header cannot contain, of the
    /// profile and its source profiles. The SDK ignores `mfa_serial`, and panics when it signs with such a key.
    pub fn check_credentials(&self, caller: &Caller, profile: &str) -> Result<(), CallError> {
        for profile in self.chain(profile) {
            for key in ["aws_access_key_id", "aws_session_token"] {
                if let Some(value) = self.get(profile, key).filter(|value| !fits_a_header(value.text)) {
                    return Err(value.refused(caller, UNFIT, "Correct it, then run again"));
                }
            }
            if let (Some(_), Some(value)) = (self.get(profile, "role_arn"), self.get(profile, "mfa_serial")) {
                let hint = format!(
                    "Run `aws configure export-credentials --profile {profile} --format env`, set the variables that it \
                     prints, and pass no profile"
                );
                return Err(value.refused(
                    caller,
                    "needs a code of an MFA device, which promote does not ask for",
                    &hint,
                ));
            }
        }
        Ok(())
    }

    /// The region of a profile, or of the nearest source profile that has one, as in the SDK.
    pub fn region(&self, profile: &str) -> Option<String> {
        self.chain(profile)
            .into_iter()
            .find_map(|profile| self.get(profile, "region"))
            .map(|value| value.text.to_owned())
    }

    /// A profile, its source profile, the source profile of that one, and so on; each once.
    fn chain<'a>(&'a self, profile: &'a str) -> Vec<&'a str> {
        let mut chain = Vec::new();
        let mut next = Some(profile);
        while let Some(profile) = next.filter(|name| !chain.contains(name)) {
            chain.push(profile);
            next = self.get(profile, "source_profile").map(|value| value.text);
        }
        chain
    }
}

/// The error of a key or token that a header cannot contain. The message does not have the value, which is a secret.
pub(super) const UNFIT: &str = "has a line break, a control character or a letter outside ASCII";

/// Whether an HTTP header can contain the text.
pub(super) fn fits_a_header(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

impl ProfileValue<'_> {
    /// The error for this value.
    pub fn refused(&self, caller: &Caller, wrong: &str, hint: &str) -> CallError {
        let Self { file, profile, key, .. } = self;
        refused(caller, format!("{key} of profile '{profile}' in {} {wrong}", file.display()), hint.to_owned())
    }
}

/// The path of a file, as in the SDK.
fn path(surroundings: &Surroundings, variable: &str, name: &str) -> PathBuf {
    let home = surroundings.env.get("HOME").ok().map(PathBuf::from);
    match surroundings.env.get(variable).ok().map(PathBuf::from) {
        None => home.unwrap_or_else(|| "~".into()).join(".aws").join(name),
        Some(path) => match (path.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path,
        },
    }
}

/// Joins the lines of the SDK's message.
fn one_line(error: &dyn std::error::Error) -> String {
    let error = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    error.split_whitespace().collect::<Vec<_>>().join(" ")
}
