//! Sessions: configuration files, credentials, endpoints and accounts.

mod sessions;
