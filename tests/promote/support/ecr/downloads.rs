//! The presigned URLs of layers: no credentials, one range of bytes, and an end.

use crate::support::wire::{Answer, Refusal, Request};
use crate::support::world::World;

/// Where the layers are, before the repository and the digest.
pub const PATH: &str = "/layers-of-ecr/";

/// A URL that was handed out.
pub struct Download {
    registry: (String, String),
    repository: String,
    digest: String,
    requests: usize,
    bytes: u64,
}

impl Download {
    pub fn new(registry: (String, String), repository: String, digest: String) -> Download {
        Download { registry, repository, digest, requests: 0, bytes: 0 }
    }
}

/// The operation, and the repository with the digest.
pub fn name(request: &Request) -> (String, String) {
    ("DownloadLayer".to_owned(), request.path.trim_start_matches(PATH).to_owned())
}

/// GET of a layer or of one range of it.
pub fn answer(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    if request.header("authorization").is_some() {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                       parameter or the Authorization header should be specified";
        return Err(Refusal::new(400, "InvalidArgument", message));
    }
    let ecr = &mut world.ecr;
    let token = request.query.get("X-Amz-Signature").map(String::as_str).unwrap_or_default();
    let download = ecr.downloads.get_mut(token);
    let download =
        download.filter(|download| name(request).1 == format!("{}@{}", download.repository, download.digest));
    let Some(download) = download else {
        return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
    };
    let used_up = ecr.behaviour.download_requests.is_some_and(|most| download.requests >= most)
        || ecr.behaviour.download_bytes.is_some_and(|most| download.bytes >= most);
    if used_up {
        return Err(Refusal::new(403, "AccessDenied", "Request has expired"));
    }
    let repository = ecr.repositories.get(&download.registry).and_then(|registry| registry.get(&download.repository));
    let layer = repository.and_then(|repository| repository.layers.get(&download.digest));
    let layer = layer.ok_or_else(|| Refusal::new(404, "NoSuchKey", "The specified key does not exist."))?;
    download.requests += 1;
    let Some(range) = request.header("range") else {
        download.bytes += layer.len();
        return Ok(Answer { body: layer.clone(), ..Answer::new(200) });
    };
    let unsatisfiable = || Refusal::new(416, "InvalidRange", "The requested range is not satisfiable");
    let (first, last) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(unsatisfiable)?;
    let first: u64 = first.parse().map_err(|_| unsatisfiable())?;
    let last: u64 = if last.is_empty() { u64::MAX } else { last.parse().map_err(|_| unsatisfiable())? };
    let last = last.min(layer.len().saturating_sub(1));
    if first > last || first >= layer.len() {
        return Err(unsatisfiable());
    }
    let len = last + 1 - first;
    download.bytes += len;
    let answer = Answer { body: layer.range(first, len), ..Answer::new(206) };
    Ok(answer.with("content-range", format!("bytes {first}-{last}/{}", layer.len())))
}
