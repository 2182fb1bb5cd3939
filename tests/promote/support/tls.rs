//! TLS as 127.0.0.1: a certificate, and the authority that vouches for it, until 2126.
//!
//! Their keys are no secret: the authority's is the number of thirty-two bytes 1, the server's that of bytes 2.

use std::sync::{Arc, LazyLock};

use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// What clients have to trust.
pub const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promote/support/tls/authority.pem");
/// The first byte of a client's first message.
pub const HANDSHAKE: u8 = 0x16;

const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");

/// Answers clients; the same for all servers of this process.
pub static ACCEPTOR: LazyLock<TlsAcceptor> = LazyLock::new(|| {
    let key = SecretKey::from_slice(&[2; 32]).expect("a number of the curve").to_pkcs8_der().expect("a key");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()));
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .expect("the provider has it")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is the certificate's");
    TlsAcceptor::from(Arc::new(config))
});
