//! Timeouts of calls other than copies.

use std::time::Duration;

/// The timeout of a connection. Connections take milliseconds; 5 s leave room for a slow VPN.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// The timeout of the first byte of a response.
pub(super) const FIRST_BYTE: Duration = Duration::from_secs(60);
