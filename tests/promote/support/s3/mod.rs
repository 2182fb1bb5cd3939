//! S3, path-style: keys are taken raw and decoded once.

mod body;
mod checksums;
mod chunked;
mod complete;
mod copy;
pub mod dates;
mod list;
mod multipart;
mod objects;
mod store;
mod synthetic;

pub use body::Body;
pub use checksums::{Algorithm, Checksum};
pub use store::{Attributes, Bucket, Encryption, Object, Upload};

use super::principals::{Identity, SOURCE_ACCOUNT, credential, denial, explicit_denial};
use super::wire::{Answer, Refusal, Request, decode, escape};
use super::world::World;

/// One request with everything that answering it needs.
pub struct Ask<'a> {
    pub world: &'a mut World,
    pub who: &'a Identity,
    pub request: &'a Request,
    pub bucket: String,
    pub key: String,
}

/// The operation and `bucket/key` of a request.
pub fn name(request: &Request) -> (String, String) {
    let (bucket, key) = address(request);
    let resource = if key.is_empty() { bucket } else { format!("{bucket}/{key}") };
    (operation(request).to_owned(), resource)
}

/// The length of the content that a request brings.
pub fn content_length(request: &Request) -> u64 {
    let decoded = request.header("x-amz-decoded-content-length").and_then(|text| text.parse().ok());
    decoded.unwrap_or(request.body.len() as u64)
}

pub fn answer(world: &mut World, who: &Identity, request: &Request) -> Result<Answer, Refusal> {
    let (bucket, key) = address(request);
    let ask = Ask { world, who, request, bucket, key };
    ask.check_region()?;
    ask.check_bucket()?;
    match operation(request) {
        "HeadBucket" => list::head_bucket(&ask),
        "GetBucketLocation" => list::location(&ask),
        "GetBucketPolicy" => list::policy(&ask),
        "ListObjectsV2" => list::objects(&ask),
        "ListMultipartUploads" => list::uploads(&ask),
        "ListParts" => list::parts(&ask),
        "HeadObject" | "GetObject" => objects::get(&ask),
        "PutObject" => objects::put(ask),
        "DeleteObject" => objects::delete(ask),
        "GetObjectTagging" => objects::tagging(&ask),
        "CopyObject" => copy::copy(ask),
        "CreateMultipartUpload" => multipart::create(ask),
        "UploadPart" => multipart::upload(ask),
        "UploadPartCopy" => multipart::copy(ask),
        "AbortMultipartUpload" => multipart::abort(ask),
        "CompleteMultipartUpload" => complete::complete(ask),
        other => Err(Refusal::new(501, "NotImplemented", format!("{other} is not implemented by this stand-in"))),
    }
}

pub fn refuse(refusal: &Refusal, request: &Request, id: &str) -> Answer {
    if request.method == "HEAD" {
        return Answer::default();
    }
    let region = refusal.region.iter().map(|region| format!("<Region>{region}</Region>")).collect::<String>();
    Answer::xml(format!(
        "<Error><Code>{}</Code><Message>{}</Message>{region}<Resource>{}</Resource><RequestId>{id}</RequestId></Error>",
        escape(&refusal.code),
        escape(&refusal.message),
        escape(&request.path)
    ))
}

fn address(request: &Request) -> (String, String) {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (decode(bucket), decode(key))
}

fn operation(request: &Request) -> &'static str {
    let has = |name: &str| request.query.contains_key(name);
    let copies = request.headers.contains_key("x-amz-copy-source");
    let on_key = !address(request).1.is_empty();
    match request.method.as_str() {
        "GET" if on_key && has("uploadId") => "ListParts",
        "GET" if on_key && has("tagging") => "GetObjectTagging",
        "GET" if on_key && has("attributes") => "GetObjectAttributes",
        "GET" if on_key => "GetObject",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("location") => "GetBucketLocation",
        "GET" if has("policy") => "GetBucketPolicy",
        "GET" if request.query.get("list-type").is_some_and(|kind| kind == "2") => "ListObjectsV2",
        "GET" => "ListObjects",
        "HEAD" if on_key => "HeadObject",
        "HEAD" => "HeadBucket",
        "PUT" if !on_key => "CreateBucket",
        "PUT" if has("uploadId") && copies => "UploadPartCopy",
        "PUT" if has("uploadId") => "UploadPart",
        "PUT" if has("tagging") => "PutObjectTagging",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "POST" => "DeleteObjects",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" if on_key => "DeleteObject",
        _ => "Unknown",
    }
}

impl Ask<'_> {
    /// A query member.
    fn query(&self, name: &str) -> Option<&str> {
        self.request.query.get(name).map(String::as_str)
    }

    /// A bucket answers in its own region only.
    fn check_region(&self) -> Result<(), Refusal> {
        let region = &self.world.bucket(&self.bucket)?.region;
        let asked = credential(self.request).and_then(|scope| scope.split('/').nth(2));
        if asked == Some(region) {
            return Ok(());
        }
        Err(Refusal::elsewhere(301, "PermanentRedirect", region))
    }

    /// A bucket of another partition does not exist here, of another owner than the expected one is forbidden, and may
    /// have a policy that demands headers.
    fn check_bucket(&self) -> Result<(), Refusal> {
        self.check_owner(&self.bucket, "x-amz-expected-bucket-owner")?;
        self.check_payer(&self.bucket)?;
        let creates = ["PutObject", "CopyObject", "CreateMultipartUpload"].contains(&operation(self.request));
        let demands = &self.world.bucket(&self.bucket)?.demands;
        match demands.iter().find(|(name, value)| creates && self.request.header(name) != Some(value)) {
            Some(_) => {
                let object = format!("{}/{}", self.bucket, self.key);
                Err(Refusal::new(403, "AccessDenied", explicit_denial(self.who, "s3:PutObject", &object)))
            }
            None => Ok(()),
        }
    }

    /// The same for the bucket that a copy reads.
    fn check_source(&self, bucket: &str) -> Result<(), Refusal> {
        self.check_owner(bucket, "x-amz-source-expected-bucket-owner")?;
        self.check_payer(bucket)
    }

    fn check_owner(&self, bucket: &str, header: &str) -> Result<(), Refusal> {
        let owner = &self.world.bucket(bucket)?.owner;
        if self.world.options.source_partition.is_some()
            && (*owner == SOURCE_ACCOUNT) != (self.who.account == SOURCE_ACCOUNT)
        {
            return Err(Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"));
        }
        match self.request.header(header) {
            Some(expected) if expected != owner => Err(Refusal::new(403, "AccessDenied", "Access Denied")),
            Some(_) | None => Ok(()),
        }
    }

    /// Where the requester pays, callers of other accounts have to say so.
    fn check_payer(&self, bucket: &str) -> Result<(), Refusal> {
        let pays = self.request.header("x-amz-request-payer") == Some("requester");
        let bucket = self.world.bucket(bucket)?;
        match bucket.requester_pays && bucket.owner != self.who.account && !pays {
            true => Err(Refusal::new(403, "AccessDenied", "Access Denied")),
            false => Ok(()),
        }
    }

    /// Refuses unless the caller may do this to the object, or to the bucket where `key` is empty.
    fn allow(&self, action: &str, bucket: &str, key: &str) -> Result<(), Refusal> {
        let owner = &self.world.bucket(bucket)?.owner;
        let resource = if key.is_empty() { bucket.to_owned() } else { format!("{bucket}/{key}") };
        if self.world.bucket(bucket)?.denies_reads && ["s3:GetObject", "s3:ListBucket"].contains(&action) {
            return Err(Refusal::new(403, "AccessDenied", explicit_denial(self.who, action, &resource)));
        }
        if self.world.may(self.who, action, &resource, owner) {
            return Ok(());
        }
        let arn = format!("\"arn:aws:s3:::{resource}\"");
        Err(Refusal::new(403, "AccessDenied", denial(self.who, action, &arn)))
    }

    /// Refuses unless the caller may use the key of this encryption.
    fn allow_key(&self, action: &str, encryption: &Encryption) -> Result<(), Refusal> {
        let Encryption::Kms { key, .. } = encryption else { return Ok(()) };
        let owner = key.split(':').nth(4).unwrap_or(&self.who.account);
        if self.world.may(self.who, action, key, owner) {
            return Ok(());
        }
        Err(Refusal::new(403, "AccessDenied", denial(self.who, action, key)))
    }

    /// The object, if the caller may read it; whether a key is missing shows only to those who may list.
    fn readable(&self, bucket: &str, key: &str) -> Result<&Object, Refusal> {
        self.allow("s3:GetObject", bucket, key)?;
        let Some(object) = self.world.bucket(bucket)?.objects.get(key) else {
            self.allow("s3:ListBucket", bucket, "")?;
            return Err(Refusal::new(404, "NoSuchKey", "The specified key does not exist."));
        };
        if object.attributes.customer_key {
            let message = "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                           provided to retrieve the object.";
            return Err(Refusal::new(400, "InvalidRequest", message));
        }
        self.allow_key("kms:Decrypt", &object.attributes.encryption)?;
        Ok(object)
    }

    /// `If-None-Match: *` refuses to overwrite.
    fn check_absent(&self) -> Result<(), Refusal> {
        let exists = self.world.bucket(&self.bucket)?.objects.contains_key(&self.key);
        match self.request.header("if-none-match") {
            Some("*") if exists => Err(precondition("If-None-Match")),
            Some("*") | None => Ok(()),
            Some(_) => Err(Refusal::new(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            )),
        }
    }

    /// `If-Match` refuses to replace or delete what is not there, or is another object.
    fn check_present(&self) -> Result<(), Refusal> {
        let Some(wanted) = self.request.header("if-match") else { return Ok(()) };
        match self.world.bucket(&self.bucket)?.objects.get(&self.key) {
            None => Err(Refusal::new(404, "NoSuchKey", "The specified key does not exist.")),
            Some(object) if matches(Some(wanted), &object.etag) => Ok(()),
            Some(_) => Err(precondition("If-Match")),
        }
    }

    /// Stores an object where the request points.
    fn store(self, object: Object) -> Result<(), Refusal> {
        self.world.bucket_mut(&self.bucket)?.objects.insert(self.key, object);
        Ok(())
    }

    /// What the write asks for, with the bucket's default key where it does not name one.
    fn attributes(&self) -> Result<Attributes, Refusal> {
        let mut asked = Attributes::asked(self.request);
        if asked.acl.is_some() {
            self.allow("s3:PutObjectAcl", &self.bucket, &self.key)?;
        }
        let size: usize = asked.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > 2048 {
            return Err(Refusal::new(
                400,
                "MetadataTooLarge",
                "Your metadata headers exceed the maximum allowed metadata size",
            ));
        }
        let default = &self.world.bucket(&self.bucket)?.default_key;
        if let (None, Some(key)) = (self.request.header("x-amz-server-side-encryption"), default) {
            asked.encryption = Encryption::Kms { key: key.clone(), bucket_key: true };
        }
        self.allow_key("kms:GenerateDataKey", &asked.encryption)?;
        Ok(asked)
    }
}

fn precondition(condition: &str) -> Refusal {
    Refusal::new(
        412,
        "PreconditionFailed",
        format!("At least one of the pre-conditions you specified did not hold: {condition}"),
    )
}

/// Compares an If-Match header with an ETag, quotes or not.
fn matches(header: Option<&str>, etag: &str) -> bool {
    header.is_none_or(|wanted| wanted == "*" || wanted.trim_matches('"') == etag)
}

/// The headers that tell how an object is encrypted.
fn encrypted(answer: Answer, encryption: &Encryption) -> Answer {
    match encryption {
        Encryption::Aes256 => answer.with("x-amz-server-side-encryption", "AES256"),
        Encryption::Kms { key, bucket_key } => {
            let answer = answer
                .with("x-amz-server-side-encryption", "aws:kms")
                .with("x-amz-server-side-encryption-aws-kms-key-id", key);
            if *bucket_key {
                return answer.with("x-amz-server-side-encryption-bucket-key-enabled", "true");
            }
            answer
        }
    }
}
