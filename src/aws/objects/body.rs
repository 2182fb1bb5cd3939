//! Bodies: what S3 sends comes in, the bytes that were asked for come out, all of them, or an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt, unfold};

use super::reader::GET;
use crate::aws::error::{CallError, Caller};
use crate::aws::resource::Resource;
use crate::promotion::location::Location;

/// The bytes of an object or of a range of it, as a stream. Ends early only with an error.
pub struct Body {
    /// How many bytes will come.
    pub length: u64,
    at: Location,
    caller: Arc<Caller>,
    chunks: BoxStream<'static, Result<Bytes, CallError>>,
}

impl Body {
    pub(super) fn new(length: u64, bytes: ByteStream, at: Location, caller: Arc<Caller>) -> Self {
        let (of, by) = (at.clone(), caller.clone());
        let chunks = unfold((bytes, 0u64, false), move |(mut bytes, had, ended)| {
            let (at, caller) = (of.clone(), by.clone());
            async move {
                if ended {
                    return None;
                }
                let chunk = match bytes.next().await {
                    Some(Ok(chunk)) => Ok(chunk),
                    Some(Err(error)) => Err(caller.broken_off(GET, &Resource::Object(&at), &error)),
                    None if had == length => return None,
                    None => Err(caller.cut_off(GET, &Resource::Object(&at), had, length)),
                };
                let (had, ended) = (had + chunk.as_ref().map_or(0, |chunk| chunk.len() as u64), chunk.is_err());
                Some((chunk, (bytes, had, ended)))
            }
        });
        Self { length, at, caller, chunks: chunks.boxed() }
    }

    /// The error of a body that was given up after `had` bytes of `length`, because no more came.
    pub fn cut_off(&self, had: u64) -> CallError {
        self.caller.cut_off(GET, &Resource::Object(&self.at), had, self.length)
    }
}

impl Stream for Body {
    type Item = Result<Bytes, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(context)
    }
}
