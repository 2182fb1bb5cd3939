//! The contents of an object to be written: bytes in memory, in a temporary file or from another object. They can be
//! sent again.

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

/// Bytes to write, and how many they are.
pub struct Contents {
    pub(super) length: u64,
    pub(super) body: ByteStream,
    /// Whether they are still to come, so that sending them takes as long as that.
    pub(super) passing: bool,
}

impl Contents {
    /// What comes from another object and is sent while it comes: nothing asks for more of it than can be sent. For a
    /// second attempt it is asked for `again`.
    pub fn passing<Again, Asked>(first: Body, again: Again) -> Self
    where
        Again: Fn() -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<Body, CallError>> + Send + 'static,
    {
        let length = first.length;
        let (first, again) = (Arc::new(Mutex::new(Some(first))), Arc::new(again));
        let body = move || {
            let (first, again) = (first.clone(), again.clone());
            // The SDK makes bodies that it never sends: only one that is read takes the first.
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
        let body = move || SdkBody::from_body_1_x(Reading { from: Box::new(document.reader()), left: length });
        Self { length, body: ByteStream::new(SdkBody::retryable(body)), passing: false }
    }
}

/// A body that reads a chunk when it is asked for one. The file was just written: its pages are in memory, or a disk
/// has them faster than a network takes them.
struct Reading {
    from: Box<dyn Read + Send + Sync>,
    left: u64,
}

impl Reading {
    const CHUNK: u64 = 64 << 10;

    fn chunk(&mut self) -> io::Result<Bytes> {
        let mut chunk = vec![0; usize::try_from(self.left.min(Self::CHUNK)).expect("a chunk is small")];
        self.from.read_exact(&mut chunk)?;
        self.left -= chunk.len() as u64;
        Ok(chunk.into())
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready((self.left > 0).then(|| self.chunk().map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that is another one's. No two threads read it at once; the lock is what lets it move between them.
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
        // The SDK asks once more after the end.
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
