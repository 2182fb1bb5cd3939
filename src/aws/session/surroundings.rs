//! The variables, the files and the network that a session is opened with.

use std::env::VarError;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

/// The variables, the files and the network that a session uses. The default is those of the process.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    pub env: Env,
    pub fs: Fs,
    /// Sends all requests; otherwise a client with the configured certificate authorities does.
    pub http: Option<SharedHttpClient>,
}

impl Surroundings {
    /// The value of a variable. An empty variable counts as unset.
    pub fn given(&self, name: &str) -> Option<String> {
        self.env.get(name).ok().filter(|value| !value.is_empty())
    }

    /// Whether the value of a variable is not UTF-8.
    pub fn is_no_text(&self, name: &str) -> bool {
        matches!(self.env.get(name), Err(VarError::NotUnicode(_)))
    }
}
