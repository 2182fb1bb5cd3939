//! Downloads layers from the presigned URLs of GetDownloadUrlForLayer. A URL is never told: it carries a signature.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use tokio::time::timeout;

use crate::aws::connector::connector;
use crate::aws::error::{CallError, Caller};
use crate::aws::resource::Resource;
use crate::aws::timeouts::{CONNECT, FIRST_BYTE};

const CALL: &str = "ecr:GetDownloadUrlForLayer";

/// The time after which a download without a byte is given up, as for objects.
const STALL: Duration = Duration::from_secs(20);

/// The presigned URL of a layer.
#[derive(Clone)]
pub struct LayerUrl(pub(super) String);

impl fmt::Debug for LayerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerUrl")
    }
}

/// The connections to the host of the URLs. They are opened when the first layer is downloaded.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Downloads {
    authorities: Option<TlsContext>,
    connector: Arc<OnceLock<Connector>>,
}

impl Downloads {
    /// Trusts these authorities; without a value, those of the system.
    pub fn new(authorities: Option<TlsContext>) -> Self {
        Self { authorities, connector: Arc::default() }
    }

    fn connector(&self) -> &Connector {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(FIRST_BYTE).build();
        self.connector.get_or_init(|| connector(self.authorities.clone(), Some(&settings), None))
    }

    /// Begins to download at a byte; nothing if the URL has expired.
    pub(super) async fn open(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource<'_>,
        url: &LayerUrl,
        (from, length): (u64, u64),
    ) -> Result<Option<Download>, CallError> {
        let unusable = |message: &str| caller.unusable(CALL, resource, message);
        let mut request = HttpRequest::empty();
        request.set_uri(url.0.as_str()).map_err(|_| unusable("the URL of the layer is malformed"))?;
        request.headers_mut().insert("range", format!("bytes={from}-{}", length.max(1) - 1));
        let response = self.connector().call(request).await;
        let response = response.map_err(|error| caller.broken_off(CALL, resource, &error))?;
        if let Some(bytes) = total(response.headers().get("content-range")).filter(|bytes| *bytes != length) {
            let message = format!("the layer has {bytes} bytes, but its manifest says {length}");
            return Err(caller.invalid(CALL, resource, message));
        }
        match response.status().as_u16() {
            206 => {}
            200 if from == 0 => {}
            403 => return Ok(None),
            status @ (408 | 429 | 500..=599) => {
                return Err(caller.download_refused(CALL, resource, status));
            }
            status => return Err(unusable(&format!("the download of the layer was answered with HTTP {status}"))),
        }
        let bytes = ByteStream::new(response.into_body());
        Ok(Some(Download { bytes, at: from, length, caller: caller.clone() }))
    }
}

/// The size of the whole layer: `bytes 0-9/10` (RFC 9110, section 14.4).
fn total(content_range: Option<&str>) -> Option<u64> {
    content_range?.rsplit_once('/')?.1.parse().ok()
}

/// The bytes of a layer from one byte to its end.
pub struct Download {
    bytes: ByteStream,
    at: u64,
    length: u64,
    caller: Arc<Caller>,
}

impl Download {
    /// The next bytes; nothing at the end of the layer.
    ///
    /// # Errors
    /// The connection ended or stalled before the layer was complete, or the response is longer than the layer.
    pub async fn next(&mut self, resource: LayerOf<'_>) -> Result<Option<Bytes>, CallError> {
        let resource = &Resource::Layer { repository: resource.0, layer: resource.1 };
        let caller = &self.caller;
        match timeout(STALL, self.bytes.next()).await {
            Ok(Some(Ok(chunk))) => {
                self.at += chunk.len() as u64;
                if self.at > self.length {
                    return Err(caller.unusable(CALL, resource, "the layer is longer than its manifest says"));
                }
                Ok(Some(chunk))
            }
            Ok(Some(Err(error))) => Err(caller.broken_off(CALL, resource, &error)),
            Ok(None) if self.at == self.length => Ok(None),
            Ok(None) | Err(_) => Err(caller.cut_off(CALL, resource, self.at, self.length)),
        }
    }
}

/// A layer of a repository.
pub type LayerOf<'a> = (&'a crate::model::image::Repository, &'a crate::model::image::Digest);
