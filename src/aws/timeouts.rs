//! Time limits of calls other than copies.

use std::time::Duration;

/// For a connection. It takes milliseconds; 5 s leave room for a slow VPN.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// For the first byte of an answer, which comes within a minute.
pub(super) const FIRST_BYTE: Duration = Duration::from_secs(60);
