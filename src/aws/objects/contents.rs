//! What an object is to hold: bytes in memory or in a temporary file come in, a body that can be sent again comes out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::promotion::scratch::{Chunks, Scratch};

/// Bytes to write, and how many they are.
pub struct Contents {
    pub(super) length: u64,
    pub(super) body: ByteStream,
}

impl From<Bytes> for Contents {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, body: bytes.into() }
    }
}

impl From<Arc<Scratch>> for Contents {
    fn from(scratch: Arc<Scratch>) -> Self {
        let length = scratch.len();
        let body = move || SdkBody::from_body_1_x(Reading(Chunks::of(scratch.clone())));
        Self { length, body: ByteStream::new(SdkBody::retryable(body)) }
    }
}

/// A body that reads a chunk when it is asked for one. The file was just written: its pages are in memory, or a disk
/// has them faster than a network takes them.
struct Reading(Chunks<Arc<Scratch>>);

impl Body for Reading {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let chunk = self.0.next();
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk?.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.left())
    }
}
