//! A client without an SDK: requests go to the stand-in byte for byte.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Cloud, Principal, REGION};

/// One connection.
pub struct Client {
    stream: TcpStream,
    /// The access key id.
    pub key: String,
    /// The session token that comes along.
    pub token: Option<String>,
    /// The service in the credential's scope.
    pub service: &'static str,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the answer is JSON")
    }

    /// The content of the first XML element of this name.
    pub fn element(&self, name: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>")).expect("the response has this element");
        rest.split('<').next().unwrap_or_default().to_owned()
    }
}

impl Client {
    /// Connects; asks S3 until told otherwise.
    pub fn new(cloud: &Cloud, who: Principal) -> Client {
        let endpoint = cloud.endpoint();
        let address = endpoint.strip_prefix("http://").expect("the endpoint is http");
        let stream = TcpStream::connect(address).expect("the stand-in accepts");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("the socket takes a time-out");
        Client { stream, key: who.access_key_id().to_owned(), token: None, service: "s3" }
    }

    /// A handle on the connection, to end it while an answer is waited for.
    pub fn connection(&self) -> TcpStream {
        self.stream.try_clone().expect("the socket has another handle")
    }

    /// Sends a request; nothing comes back when the stand-in closes the connection.
    pub fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        let scope = format!("{}/20260101/{REGION}/{}/aws4_request", self.key, self.service);
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential={scope}, SignedHeaders=host, Signature=0\r\n",
            body.len()
        );
        if !headers.iter().any(|(name, _)| *name == "x-amz-content-sha256") {
            head += "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n";
        }
        let token = self.token.iter().map(|token| ("x-amz-security-token", token.as_str()));
        for (name, value) in token.chain(headers.iter().copied()) {
            head += &format!("{name}: {value}\r\n");
        }
        self.stream.write_all((head + "\r\n").as_bytes()).ok()?;
        self.stream.write_all(body).ok()?;
        self.answer(method == "HEAD")
    }

    fn answer(&mut self, bodiless: bool) -> Option<Reply> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if self.stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> = pairs.map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; if bodiless { 0 } else { length }];
        self.stream.read_exact(&mut body).ok()?;
        Some(Reply { status, headers, body })
    }

    /// GET without credentials, answered.
    pub fn ask_unsigned(&mut self, target: &str, headers: &[(&str, &str)]) -> Reply {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        self.stream.write_all(head.as_bytes()).expect("it is connected");
        self.answer(false).expect("an answer")
    }

    /// GET, answered.
    pub fn get(&mut self, target: &str) -> Reply {
        self.ask("GET", target, &[], b"").expect("an answer")
    }

    /// A call to ECR.
    pub fn ecr(&mut self, operation: &str, body: Value) -> Reply {
        self.service = "ecr";
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        self.ask("POST", "/", &[("x-amz-target", &target)], body.to_string().as_bytes()).expect("an answer")
    }

    /// A call to the model registry.
    pub fn registry(&mut self, operation: &str, body: Value) -> Reply {
        self.service = "sagemaker";
        let target = format!("SageMaker.{operation}");
        self.ask("POST", "/", &[("x-amz-target", &target)], body.to_string().as_bytes()).expect("an answer")
    }
}
