//! Reads the error from an HTTP response, and maps AWS error codes to error kinds.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::call::Kind;

/// The parts of an HTTP response that describe an error.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub code: Option<String>,
    pub message: String,
    pub request_id: Option<String>,
    pub bucket_region: Option<String>,
}

impl Answer {
    pub fn of<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> Option<Self> {
        let raw = error.raw_response()?;
        let header = |names: &[&str]| names.iter().find_map(|name| raw.headers().get(*name)).map(str::to_owned);
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        let status = raw.status().as_u16();
        let code = meta.and_then(|meta| meta.code()).map(str::to_owned);
        let given = meta.and_then(|meta| meta.message()).map(str::to_owned);
        let message = given.unwrap_or_else(|| match raw.status().is_success() {
            true => format!("the response cannot be read: {}", sentence(error)),
            false => format!("HTTP {status}{}", reason(status)),
        });
        Some(Self {
            status,
            code,
            message,
            request_id: header(&["x-amz-request-id", "x-amzn-requestid", "x-amzn-request-id"]),
            bucket_region: header(&["x-amz-bucket-region"]).or_else(|| region_of_bucket(raw.body().bytes()?)),
        })
    }

    /// The kind, by the error code first (a response with HTTP 200 may have an error in its body), then by the status.
    pub fn kind(&self) -> Kind {
        match self.code.as_deref().unwrap_or_default() {
            "NoSuchUpload" | "UploadNotFoundException" => Kind::NoSuchUpload,
            "NoSuchKey"
            | "NoSuchBucket"
            | "NotFound"
            | "ResourceNotFound"
            | "ResourceNotFoundException"
            | "RepositoryNotFoundException"
            | "ImageNotFoundException"
            | "LayersNotFoundException"
            | "ReferencedImagesNotFoundException" => Kind::NotFound,
            "PreconditionFailed" | "ConditionalRequestConflict" => Kind::PreconditionFailed,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "RequestTimeTooSkewed"
            | "TokenRefreshRequired"
            | "MissingAuthenticationToken" => Kind::Credentials,
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException" => Kind::Throttled,
            "RepositoryAlreadyExistsException"
            | "ImageAlreadyExistsException"
            | "ImageTagAlreadyExistsException"
            | "LayerAlreadyExistsException" => Kind::AlreadyExists,
            "InvalidObjectState" | "ObjectNotInActiveTierError" => Kind::Invalid,
            "NotImplemented" => Kind::NotImplemented,
            "InternalError" | "InternalFailure" | "ServerException" | "ServiceUnavailable" | "RequestTimeout" => {
                Kind::Unavailable
            }
            "ValidationException"
            | "ValidationError"
            | "ResourceInUse"
            | "ResourceInUseException"
            | "ConflictException"
                if self.says(&["already exist", "already existing"]) =>
            {
                Kind::AlreadyExists
            }
            "ValidationException" | "ValidationError"
                if self.says(&["does not exist", "not found", "could not find", "cannot find"]) =>
            {
                Kind::NotFound
            }
            "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "AccountProblem" => Kind::Denied,
            _ => self.kind_by_status(),
        }
    }

    /// Whether the message has one of these texts.
    fn says(&self, texts: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        texts.iter().any(|text| message.contains(text))
    }

    fn kind_by_status(&self) -> Kind {
        match self.status {
            404 => Kind::NotFound,
            401 | 403 => Kind::Denied,
            412 => Kind::PreconditionFailed,
            429 => Kind::Throttled,
            300..=499 => Kind::Invalid,
            501 => Kind::NotImplemented,
            500..=599 => Kind::Unavailable,
            _ => Kind::Other,
        }
    }
}

/// The `Region` of an S3 error document. AuthorizationHeaderMalformed has the bucket's region there, and the SDK does
/// not pass it on (botocore's S3RegionRedirector reads it too).
fn region_of_bucket(body: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Region>")?;
    let (region, _) = rest.split_once("</Region>")?;
    Some(region.to_owned()).filter(|region| !region.is_empty())
}

/// The meaning of a response to HEAD, which has no body.
fn reason(status: u16) -> &'static str {
    match status {
        301 | 307 => " (the bucket is in another region)",
        400 => " (bad request: expired credentials or another region)",
        403 => " (forbidden)",
        404 => " (not found)",
        412 => " (precondition failed)",
        _ => "",
    }
}

/// Whether the connection ended before the response was complete.
pub(super) fn broke_off(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| cause.to_string().contains("error reading a body"))
}

/// The reason why there was no response.
pub(super) fn unanswered<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ConstructionFailure(_) => format!("the request cannot be built: {}", sentence(error)),
        SdkError::TimeoutError(_) => format!("no response in time: {}", sentence(error)),
        _ => format!("no response: {}", sentence(error)),
    }
}

/// The causes of an error in one line, each once. Leaves out texts of the SDK that have no information.
pub(super) fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error) {
        // The default chain of credentials lists every provider on a line of its own.
        let text = cause.to_string().lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned();
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
    }
    let told = texts.iter().filter(|text| !HOLLOW.contains(&text.as_str())).cloned().collect::<Vec<_>>();
    if told.is_empty() { texts.join(": ") } else { told.join(": ") }
}

/// Texts that only introduce the next cause.
const HOLLOW: [&str; 14] = [
    "dispatch failure",
    "service error",
    "response error",
    "request has timed out",
    "failed to construct request",
    "other",
    "io error",
    "client error (Connect)",
    "unhandled error",
    "unexpected credentials error",
    "the credential provider was not enabled",
    "the credentials provider was not properly configured",
    "an error occurred while loading credentials",
    "an error occurred while loading an access token",
];

pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
