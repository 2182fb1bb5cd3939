//! Connections of the SDK with other certificate authorities, and connections for requests that are not the SDK's own.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Connections like the SDK's default ones. Panics, as the SDK does, if it cannot use the authorities.
pub(super) fn connector(
    authorities: Option<TlsContext>,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
    connector.set_proxy_config(Some(ProxyConfig::from_env()));
    match authorities {
        Some(context) => connector.tls_context(context).build(),
        None => connector.build(),
    }
}
