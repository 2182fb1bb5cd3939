//! Checks the credentials of every provider: a process, a container endpoint, SSO or a file.

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Answer;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::files::{UNFIT, fits_a_header};

/// Rejects credentials that an HTTP header cannot contain. The SDK panics when it signs with them.
#[derive(Debug)]
pub(super) struct Lent(pub SharedCredentialsProvider);

impl ProvideCredentials for Lent {
    fn provide_credentials<'a>(&'a self) -> Answer<'a>
    where
        Self: 'a,
    {
        Answer::new(async {
            let lent = self.0.provide_credentials().await?;
            let key = ("access key id", Some(lent.access_key_id()));
            let token = ("session token", lent.session_token());
            for (name, value) in [key, token] {
                if value.is_some_and(|value| !fits_a_header(value)) {
                    return Err(CredentialsError::invalid_configuration(format!("the {name} {UNFIT}")));
                }
            }
            Ok(lent)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<aws_credential_types::Credentials> {
        self.0.fallback_on_interrupt()
    }
}
