//! Generates configuration files, variables and responses from the names that the SDK reads.

use fastrand::Rng;

/// What a session is opened with.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The variables of the environment.
    pub variables: Vec<(String, String)>,
    /// The files by their paths.
    pub files: Vec<(String, Vec<u8>)>,
    /// The profile that is named by a flag.
    pub profile: Option<String>,
    /// Whether a role is assumed.
    pub role: bool,
    /// Whether a region is given by a flag.
    pub region: bool,
    /// The status and the body of every response.
    pub response: (u16, String),
}

const HOME: &str = "/generated";
/// The names of profiles, SSO sessions and services sections. They refer to each other.
const NAMES: [&str; 7] = ["default", "named", "base", "corp", "here", "é", "with space"];
const NUMBERS: [&str; 8] = ["", "0", "1", "3", "-1", "4294967296", "1.5", "many"];
const BOOLEANS: [&str; 5] = ["true", "false", "TRUE", "maybe", ""];
const URLS: [&str; 11] = [
    "http://127.0.0.1:1",
    "https://example.test/path?x=y",
    "http://[::1]:80",
    "http://",
    "127.0.0.1:80",
    "mailto:x",
    "file:///tmp",
    "::",
    "http://a b",
    "http://é.test",
    "",
];
const ARNS: [&str; 5] = [
    "arn:aws:iam::444333666777:role/reader",
    "arn:aws:iam::444333666777:role/path/reader",
    "arn:aws-cn:iam::1:role/",
    "arn:",
    "reader",
];
const TEXTS: [&str; 9] =
    ["AKIAFUZZ000000000000", "secret", "a b", "\u{201c}q\u{201d}", "\u{7f}", "\r", "a\tb", "%00", "𐍈"];
const PATHS: [&str; 7] = ["/token", "/nowhere", "~/token", "", "/", "token", AUTHORITIES];
/// A file of certificate authorities.
const AUTHORITIES: &str = "/authorities";
const CONFIGURATIONS: [&str; 6] = ["/generated/.aws/credentials", "~/.aws/config", "~", "/token", "/nowhere", ""];
const REGIONS: [&str; 8] =
    ["eu-central-1", "us-gov-west-1", "cn-north-1", "fips-us-east-1", "aws-global", "x y", "", "é"];

/// The keys of profiles, each with its usual values.
const KEYS: [(&str, &[&str]); 39] = [
    ("region", &REGIONS),
    ("aws_access_key_id", &TEXTS),
    ("aws_secret_access_key", &TEXTS),
    ("aws_session_token", &TEXTS),
    ("aws_account_id", &["444333666777", "1", "é", ""]),
    ("max_attempts", &NUMBERS),
    ("retry_mode", &["standard", "legacy", "adaptive", "often", ""]),
    ("source_profile", &NAMES),
    ("role_arn", &ARNS),
    ("role_session_name", &TEXTS),
    ("external_id", &TEXTS),
    ("duration_seconds", &NUMBERS),
    ("mfa_serial", &["", "arn:aws:iam::444333666777:mfa/me"]),
    ("credential_source", &["Environment", "Ec2InstanceMetadata", "EcsContainer", "Nowhere", ""]),
    ("credential_process", &["", "false", "true", "\"", "/nowhere"]),
    ("web_identity_token_file", &PATHS),
    ("sso_session", &NAMES),
    ("sso_region", &REGIONS),
    ("sso_start_url", &URLS),
    ("sso_account_id", &["444333666777", "1", ""]),
    ("sso_role_name", &TEXTS),
    ("sso_registration_scopes", &TEXTS),
    ("login_session", &["arn:aws:iam::444333666777:user/me", "é", ""]),
    ("services", &NAMES),
    ("endpoint_url", &URLS),
    ("ca_bundle", &[AUTHORITIES, "/token", "/nowhere", ""]),
    ("use_fips_endpoint", &BOOLEANS),
    ("use_dualstack_endpoint", &BOOLEANS),
    ("sdk_ua_app_id", &TEXTS),
    ("request_min_compression_size_bytes", &NUMBERS),
    ("disable_request_compression", &BOOLEANS),
    ("account_id_endpoint_mode", &["required", "preferred", "disabled", "never"]),
    ("ignore_configured_endpoint_urls", &BOOLEANS),
    ("s3_disable_express_session_auth", &BOOLEANS),
    ("s3_disable_multiregion_access_points", &BOOLEANS),
    ("ec2_metadata_service_endpoint_mode", &["IPv4", "IPv6", "IPv5", ""]),
    ("ec2_metadata_service_endpoint", &URLS),
    ("request_checksum_calculation", &["when_supported", "WHEN_REQUIRED", "never"]),
    ("sigv4a_signing_region_set", &["*", "eu-central-1,us-east-1", ",", ""]),
];

/// The variables that the SDK reads, each with its usual values.
const VARIABLES: [(&str, &[&str]); 38] = [
    ("AWS_CONFIG_FILE", &CONFIGURATIONS),
    ("AWS_SHARED_CREDENTIALS_FILE", &CONFIGURATIONS),
    ("AWS_ACCESS_KEY_ID", &TEXTS),
    ("AWS_SECRET_ACCESS_KEY", &TEXTS),
    ("AWS_SESSION_TOKEN", &TEXTS),
    ("AWS_ACCOUNT_ID", &["444333666777", "é"]),
    ("AWS_PROFILE", &NAMES),
    ("AWS_REGION", &REGIONS),
    ("AWS_DEFAULT_REGION", &REGIONS),
    ("AWS_MAX_ATTEMPTS", &NUMBERS),
    ("AWS_RETRY_MODE", &["standard", "legacy", "adaptive", "often"]),
    ("AWS_ENDPOINT_URL", &URLS),
    ("AWS_ENDPOINT_URL_S3", &URLS),
    ("AWS_ENDPOINT_URL_STS", &URLS),
    ("AWS_ENDPOINT_URL_SAGEMAKER", &URLS),
    ("AWS_ENDPOINT_URL_SSO", &URLS),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &BOOLEANS),
    ("AWS_USE_FIPS_ENDPOINT", &BOOLEANS),
    ("AWS_USE_DUALSTACK_ENDPOINT", &BOOLEANS),
    ("AWS_SDK_UA_APP_ID", &TEXTS),
    ("AWS_EXECUTION_ENV", &TEXTS),
    ("AWS_LAMBDA_FUNCTION_NAME", &TEXTS),
    ("_X_AMZN_TRACE_ID", &TEXTS),
    ("AWS_ROLE_ARN", &ARNS),
    ("AWS_ROLE_SESSION_NAME", &TEXTS),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", &PATHS),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &URLS),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", &["/creds", "creds", "//", "é", "127.0.0.1:80"]),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", &TEXTS),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &PATHS),
    ("AWS_EC2_METADATA_DISABLED", &BOOLEANS),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &URLS),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", &["IPv4", "IPv6", "IPv5"]),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", &NUMBERS),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", &["when_supported", "when_required", "x"]),
    ("AWS_CA_BUNDLE", &[AUTHORITIES, "/token", "/nowhere", ""]),
    ("AWS_LOGIN_CACHE_DIRECTORY", &PATHS),
    ("AWS_NEW_RETRIES_2026", &BOOLEANS),
];

/// Characters that mean something to a parser or to a header.
const SPECIAL: [char; 17] =
    ['\n', ' ', '=', '[', ']', '#', ';', '\t', '\r', '\0', '"', '\\', '%', ':', '/', 'é', '\u{feff}'];

impl Case {
    /// The case of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let home = (rng.u8(..16) != 0).then(|| ("HOME".to_owned(), HOME.to_owned()));
        let mut variables: Vec<_> = home.into_iter().collect();
        for _ in 0..rng.usize(..6) {
            let (name, values) = pick(rng, &VARIABLES);
            variables.push((name.to_owned(), value(rng, values)));
        }
        // The kernel permits no NUL in a variable.
        variables.iter_mut().for_each(|(_, value)| value.retain(|c| c != '\0'));
        let files = ["config", "credentials"].map(|name| (format!("{HOME}/.aws/{name}"), profiles(rng)));
        let token = token(rng);
        // The SDK looks for the SHA-1 of the session's name or of the start URL.
        let cached = ["ee0bfd2552fbd840c02cc48b6e823320543c450f", "27f030506f6bb66bf36e150f369ab9e8f1cfec6b"]
            .map(|digest| (format!("{HOME}/.aws/sso/cache/{digest}.json"), token.clone()));
        let other = ["/token".to_owned(), format!("{HOME}/token")].map(|path| (path, TEXTS[rng.usize(..9)].into()));
        let authorities = [(AUTHORITIES.to_owned(), authorities(rng))];
        Self {
            variables,
            files: files.into_iter().chain(cached).chain(other).chain(authorities).collect(),
            profile: (rng.u8(..3) == 0).then(|| value(rng, &NAMES)),
            role: rng.u8(..8) == 0,
            region: rng.bool(),
            response: response(rng),
        }
    }
}

fn pick<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(..values.len())]
}

/// A usual value, or one in twelve with something special in it.
fn value(rng: &mut Rng, usual: &[&str]) -> String {
    let mut value = pick(rng, usual).to_owned();
    match rng.u8(..24) {
        0 => value.insert(0, pick(rng, &SPECIAL)),
        1 => value.push(pick(rng, &SPECIAL)),
        2 if rng.u8(..8) == 0 => value = value.repeat(5000),
        _ => {}
    }
    value
}

/// A file with a few sections.
fn profiles(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..rng.usize(..5) {
        let name = pick(rng, &NAMES);
        let header = match rng.u8(..8) {
            0 => format!("[sso-session {name}]"),
            1 => format!("[services {name}]"),
            2 => format!("[{name}]"),
            3 => "[default]".to_owned(),
            _ => format!("[profile {name}]"),
        };
        text += &format!("{header}\n");
        for _ in 0..rng.usize(..8) {
            let (key, values) = pick(rng, &KEYS);
            let value = value(rng, values);
            text += &match rng.u8(..8) {
                0 => format!("s3 =\n  {key} = {value}\n  endpoint_url = {}\n", pick(rng, &URLS)),
                _ => format!("{key} = {value}\n"),
            };
        }
    }
    damaged(rng, text)
}

/// Certificates, some of which cannot be used.
fn authorities(rng: &mut Rng) -> Vec<u8> {
    const GOOD: &str = include_str!("../../../../tests/promote/support/tls/authority.pem");
    const BAD: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let pieces = [GOOD, GOOD, BAD, "# a remark\n", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n"];
    let text = (0..rng.usize(..4)).map(|_| pick(rng, &pieces)).collect();
    damaged(rng, text)
}

/// The bytes of a file, of which one in six is damaged.
fn damaged(rng: &mut Rng, text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if rng.u8(..6) == 0 && !bytes.is_empty() {
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..bytes.len());
            match rng.u8(..3) {
                0 => bytes[at] = *rng.choice(b"\n =[]#;\t\r\0\xffa").expect("one of them"),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.extend_from_within(at..),
            }
        }
    }
    bytes
}

/// A cached token of SSO.
fn token(rng: &mut Rng) -> Vec<u8> {
    let expires = pick(rng, &["2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "soon", "", "9999999-01-01T00:00:00Z"]);
    let token = pick(rng, &["token", "to\\nken", "é", ""]);
    let more = pick(rng, &["", ", \"region\": \"é\"", ", \"refreshToken\": \"r\", \"clientId\": \"c\"", ", \"x\": ["]);
    format!("{{\"accessToken\": \"{token}\", \"expiresAt\": \"{expires}\"{more}}}").into_bytes()
}

/// A response of any service: credentials, an identity, an error or something else.
fn response(rng: &mut Rng) -> (u16, String) {
    let (key, token) = (pick(rng, &["AKIA", "é", "A\\nB", ""]), pick(rng, &["token", "t\\r\\n", "", "𐍈"]));
    let until = pick(rng, &["2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "soon", "-1", "99999999999999999"]);
    let body = match rng.u8(..7) {
        0 => format!(
            "{{\"Code\": \"Success\", \"AccessKeyId\": \"{key}\", \"SecretAccessKey\": \"s\", \"Token\": \"{token}\", \
             \"Expiration\": \"{until}\"}}"
        ),
        1 => format!(
            "{{\"roleCredentials\": {{\"accessKeyId\": \"{key}\", \"secretAccessKey\": \"s\", \"sessionToken\": \
             \"{token}\", \"expiration\": {}}}}}",
            pick(rng, &["0", "32503680000000", "1e300", "-1", "\"x\""])
        ),
        2 => format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s\
             </SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>{until}</Expiration></Credentials>\
             <AssumedRoleUser><Arn>{}</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>",
            pick(rng, &ARNS)
        ),
        3 => format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{}</Arn><Account>{}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
            pick(rng, &ARNS),
            pick(rng, &["444333666777", "1", "é"])
        ),
        4 => "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>".to_owned(),
        5 => "{\"__type\": \"AccessDeniedException\", \"message\": \"no\"}".to_owned(),
        _ => pick(rng, &["", "{", "<", "reader", "\u{0}", "{\"a\": [[[[[[[["]).to_owned(),
    };
    (pick(rng, &[200, 200, 200, 403, 400, 404, 204, 301]), body)
}
