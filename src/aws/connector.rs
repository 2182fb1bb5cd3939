//! Connections for requests that are not the SDK's own.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;

/// Connections like those of the SDK, for requests that are not its own.
pub(super) fn connector(authorities: Option<TlsContext>, settings: HttpConnectorSettings) -> Connector {
    let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    connector.set_connector_settings(Some(settings));
    connector.set_proxy_config(Some(ProxyConfig::from_env()));
    match authorities {
        Some(context) => connector.tls_context(context).build(),
        None => connector.build(),
    }
}
