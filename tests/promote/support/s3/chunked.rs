//! aws-chunked bodies: the content without its framing, and the trailers behind it.

use crate::support::wire::{Refusal, Request};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// The content and the trailers of a request, chunked or not.
pub fn content(request: &Request) -> Result<(Bytes, BTreeMap<String, String>), Refusal> {
    let streaming = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    if !streaming {
        return Ok((request.body.clone(), BTreeMap::new()));
    }
    let (content, trailers) = unframe(&request.body)
        .ok_or_else(|| Refusal::new(400, "IncompleteBody", "The request body terminated unexpectedly"))?;
    let announced = request.header("x-amz-decoded-content-length").and_then(|n| n.parse().ok());
    if announced != Some(content.len()) {
        return Err(Refusal::new(
            400,
            "IncompleteBody",
            "The decoded length is not what x-amz-decoded-content-length says",
        ));
    }
    for name in request.header("x-amz-trailer").unwrap_or("").split(',').filter(|name| !name.is_empty()) {
        if !trailers.contains_key(name.trim()) {
            return Err(Refusal::new(
                400,
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our \
                published schema.",
            ));
        }
    }
    Ok((content, trailers))
}

fn unframe(mut rest: &[u8]) -> Option<(Bytes, BTreeMap<String, String>)> {
    let mut content = BytesMut::new();
    loop {
        let head = line(&mut rest)?;
        let size = usize::from_str_radix(head.split(';').next()?, 16).ok()?;
        if size == 0 {
            break;
        }
        content.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = BTreeMap::new();
    while let Some(text) = line(&mut rest).filter(|text| !text.is_empty()) {
        let (name, value) = text.split_once(':')?;
        trailers.insert(name.trim().to_lowercase(), value.trim().to_owned());
    }
    Some((content.freeze(), trailers))
}

fn line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let text = String::from_utf8(rest[..end].to_vec()).ok();
    *rest = &rest[end + 2..];
    text
}
