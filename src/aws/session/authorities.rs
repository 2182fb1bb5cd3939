//! The certificate authorities that a session trusts.
//!
//! The SDK trusts the authorities of the system only. Like the AWS CLI, promote also reads AWS_CA_BUNDLE and the profile's
//! `ca_bundle`, which replace them.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::base64;
use aws_types::os_shim_internal::Fs;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::files::Files;
use super::refusal::refused;
use super::surroundings::Surroundings;
use crate::aws::connector::connector;
use crate::aws::error::{CallError, Caller};

/// The configured authorities; nothing if the session trusts the authorities of the system.
///
/// # Errors
/// The configured file has no valid certificate, or the system has no authorities: the SDK would panic.
pub(super) async fn authorities(
    surroundings: &Surroundings,
    caller: &Caller,
    files: &Files,
    profile: &str,
) -> Result<Option<TlsContext>, CallError> {
    let hint = || "Set it to a PEM file of certificate authorities, or remove it".to_owned();
    if let Some(path) = surroundings.given("AWS_CA_BUNDLE") {
        let error = |reason| refused(caller, format!("AWS_CA_BUNDLE is '{}': {reason}", path.escape_debug()), hint());
        return bundle(&surroundings.fs, &path).await.and_then(context).map(Some).map_err(error);
    }
    if let Some(value) = files.get(profile, "ca_bundle") {
        let error = |reason| value.refused(caller, &format!("is '{}': {reason}", value.text.escape_debug()), &hint());
        return bundle(&surroundings.fs, value.text).await.and_then(context).map(Some).map_err(error);
    }
    if surroundings.http.is_none() {
        check_system(surroundings, caller)?;
    }
    Ok(None)
}

/// The valid certificates of a PEM file, in PEM. Bundles of systems may have certificates that the SDK panics on.
async fn bundle(fs: &Fs, path: &str) -> Result<Vec<u8>, String> {
    let pem = fs.read_to_end(path).await.map_err(|error| error.to_string())?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    let valid = certificates.iter().filter(|one| RootCertStore::empty().add((*one).clone()).is_ok());
    let encoded: String = valid.map(|one| format!("{BEGIN}\n{}\n{END}\n", base64::encode(one))).collect();
    if encoded.is_empty() { Err("the file has no certificate".to_owned()) } else { Ok(encoded.into_bytes()) }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

fn context(pem: Vec<u8>) -> Result<TlsContext, String> {
    let authorities = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(authorities).build().map_err(|error| error.to_string())
}

/// The SDK's default client with other authorities.
pub(super) fn client(context: TlsContext) -> SharedHttpClient {
    Builder::new()
        .build_with_connector_fn(move |settings, components| connector(Some(context.clone()), settings, components))
}

/// Rejects a system without certificate authorities: the SDK could not open a TLS connection, and its debug build panics.
fn check_system(surroundings: &Surroundings, caller: &Caller) -> Result<(), CallError> {
    let loaded = rustls_native_certs::load_native_certs();
    // One is enough. Most systems have about 150.
    let usable = loaded.certs.into_iter().any(|authority| RootCertStore::empty().add(authority).is_ok());
    if usable {
        return Ok(());
    }
    let given = |name: &&str| Some(format!("{name} is '{}'", surroundings.given(name)?));
    let place = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter_map(given);
    let place = place.chain(loaded.errors.first().map(ToString::to_string)).collect::<Vec<_>>().join("; ");
    let message = format!("no certificate authority is installed ({place})");
    let hint = "Install the package ca-certificates, or set AWS_CA_BUNDLE to a PEM file of authorities";
    Err(refused(caller, message.replace(" ()", ""), hint.to_owned()))
}
