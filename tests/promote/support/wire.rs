//! What came over the wire and what goes back, common to the three services.

use super::s3::Body;
use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// A request as it came, nothing normalised.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// A header's value; bytes outside ASCII are read as UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }
}

/// A service's answer before it is turned into HTTP.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// For a HEAD: the length that is announced though no body follows.
    pub announced: Option<u64>,
}

impl Answer {
    pub fn new(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    pub fn xml(text: String) -> Answer {
        let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}");
        Answer { body: declared.into(), ..Answer::new(200) }.with("content-type", "application/xml")
    }

    pub fn json(value: &serde_json::Value) -> Answer {
        Answer { body: value.to_string().into(), ..Answer::new(200) }.with("content-type", "application/x-amz-json-1.1")
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// An error of a service, to be written in that service's protocol.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Headers that go with it.
    pub headers: Vec<(String, String)>,
    /// Where S3 says the bucket is.
    pub region: Option<String>,
    /// Further members of an error in JSON.
    pub members: Box<Value>,
}

impl Refusal {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        let (code, message) = (code.to_owned(), message.into());
        Refusal { status, code, message, headers: Vec::new(), region: None, members: Box::default() }
    }

    /// The same with further members.
    pub fn with(self, members: Value) -> Refusal {
        Refusal { members: Box::new(members), ..self }
    }

    /// S3's answer to a call that has gone to another region than the bucket's.
    pub fn elsewhere(status: u16, code: &str, region: &str) -> Refusal {
        let message = match status {
            400 => format!("The authorization header is malformed; the region is wrong; expecting '{region}'"),
            307 => "Please re-send this request to the specified temporary endpoint. Continue to use the original \
                    request endpoint for future requests."
                .to_owned(),
            _ => "The bucket you are attempting to access must be addressed using the specified endpoint. Please send \
                  all future requests to this endpoint."
                .to_owned(),
        };
        // Where the signature is for another region, only the body names the right one.
        let headers = match status {
            400 => Vec::new(),
            _ => vec![("x-amz-bucket-region".to_owned(), region.to_owned())],
        };
        Refusal { headers, region: Some(region.to_owned()), ..Refusal::new(status, code, message) }
    }
}

/// Decodes `%XX` once and reads `+` as a space, as S3 does in paths, queries and copy sources.
pub fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The members of a query string or a form.
pub fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Text as XML content; characters that XML cannot hold become references, as S3 writes them.
pub fn escape(text: &str) -> String {
    let escaped = quick_xml::escape::escape(text);
    let mut out = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        match c {
            '\u{0}'..='\u{1f}' => out.push_str(&format!("&#x{:x};", c as u32)),
            c => out.push(c),
        }
    }
    out
}
