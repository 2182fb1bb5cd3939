//! The contents of an object to write: bytes in memory, in a temporary file or of another object. Contents can be sent
//! again in a retry.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, once};
use http_body::{Frame, SizeHint};

use super::body::Body;
use crate::aws::error::CallError;
use crate::store::Spooled;

/// The bytes to write, and their length.
pub struct Contents {
    pub(super) length: u64,
    pub(super) body: ByteStream,
    /// Whether the bytes are streamed from another object, so that sending takes as long as downloading.
    pub(super) passing: bool,
}

impl Contents {
    /// Bytes of another object, which are sent while they are downloaded. No more is downloaded than can be sent. A
    /// retry downloads the bytes with `again`.
    pub fn passing<Again, Asked>(first: Body, again: Again) -> Self
    where
        Again: Fn() -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<Body, CallError>> + Send + 'static,
    {
        let length = first.length;
        let (first, again) = (Arc::new(Mutex::new(Some(first))), Arc::new(again));
        let body = move || {
            let (first, again) = (first.clone(), again.clone());
            // The SDK makes bodies that it never sends. The first body that is read takes the first download.
            let opened = async move {
                let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                match first {
                    Some(body) => Ok(body),
                    None => again().await,
                }
            };
            let chunks = Mutex::new(once(opened).try_flatten().boxed());
            SdkBody::from_body_1_x(Passing { chunks, left: length })
        };
        Self { length, body: ByteStream::new(SdkBody::retryable(body)), passing: true }
    }
}

impl From<Bytes> for Contents {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, body: bytes.into(), passing: false }
    }
}

impl From<Spooled> for Contents {
    fn from(document: Spooled) -> Self {
        let length = document.length();
        let body = move || SdkBody::from_body_1_x(FileBody { from: Box::new(document.reader()), left: length });
        Self { length, body: ByteStream::new(SdkBody::retryable(body)), passing: false }
    }
}

/// A body that reads chunks from a temporary file. Blocking reads are fine: the file was just written and is cached,
/// and a disk is faster than the network.
struct FileBody {
    from: Box<dyn Read + Send + Sync>,
    left: u64,
}

impl FileBody {
    const CHUNK: u64 = 64 << 10;

    fn chunk(&mut self) -> io::Result<Bytes> {
        let mut chunk = vec![0; usize::try_from(self.left.min(Self::CHUNK)).expect("a chunk is small")];
        self.from.read_exact(&mut chunk)?;
        self.left -= chunk.len() as u64;
        Ok(chunk.into())
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready((self.left > 0).then(|| self.chunk().map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that streams a download. The lock only makes the body `Sync`; the body is never read concurrently.
struct Passing {
    chunks: Mutex<BoxStream<'static, Result<Bytes, CallError>>>,
    left: u64,
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        // The SDK polls once more after the end.
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let chunks = self.chunks.get_mut().unwrap_or_else(PoisonError::into_inner);
        chunks.poll_next_unpin(context).map_ok(|chunk| {
            self.left = self.left.saturating_sub(chunk.len() as u64);
            Frame::data(chunk)
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
