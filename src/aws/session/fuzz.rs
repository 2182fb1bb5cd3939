//! Opens sessions with generated configuration files, variables and responses: no content of them may panic.
//!
//! Half of the cases have a file that is well-formed, so that the SDK reads its values; the others are damaged. `make fuzz`
//! runs it for ten minutes. A case that panics is printed with its seed, and `make fuzz FUZZ_SEED=17` repeats it.

pub(super) mod briefly;
mod grammar;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_types::os_shim_internal::{Env, Fs};

use self::grammar::Case;
use super::connection::Session;
use super::surroundings::Surroundings;
use super::{Access, AssumedRole};
use crate::aws::connector::connector;
use crate::aws::error::Side;

/// The default duration in seconds: `cargo test` repeats the same first cases.
const SECONDS: u64 = 5;

#[test]
fn no_configuration_file_no_variable_and_no_response_makes_a_session_panic() {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let number = |name: &str| variable(name).map(|value| value.parse::<u64>().expect("a number"));
    let only = number("FUZZ_SEED");
    let first = only.or(number("FUZZ_FROM")).unwrap_or(0);
    let time = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (started, mut seed, mut opened) = (Instant::now(), first, 0);
    while seed == first || only.is_none() && started.elapsed() < time {
        let case = Case::of(seed);
        let tried = catch_unwind(AssertUnwindSafe(|| runtime.block_on(attempt(&case))));
        assert!(tried.is_ok(), "seed {seed} panicked; repeat it with `make fuzz FUZZ_SEED={seed}`\n{case:#?}");
        opened += u64::from(tried.unwrap_or_default());
        seed += 1;
    }
    let cases = seed - first;
    // At least a tenth has to reach the SDK: otherwise the grammar makes only what is refused at once.
    assert!(cases < 100 || opened * 10 > cases, "only {opened} of {cases} sessions were opened");
    if time.as_secs() > SECONDS {
        let said = format!("{cases} cases from seed {first}, of which {opened} opened a session\n");
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).expect("stderr");
    }
}

/// Opens a session and makes a call to each service. Returns whether the session could be opened.
async fn attempt(case: &Case) -> bool {
    let text = |(name, value): &(String, String)| (name.clone(), value.clone());
    let variables: Vec<(String, String)> = case.variables.iter().map(text).collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
    let surroundings = Surroundings {
        env: Env::from_slice(&variables),
        fs: Fs::from_map(case.files.iter().cloned().collect()),
        http: Some(answering(case)),
    };
    let role = case.role.then(|| AssumedRole {
        arn: "arn:aws:iam::444333666777:role/reader".parse().expect("an ARN"),
        external_id: None,
        session_name: "fuzz".to_owned(),
    });
    let region = case.region.then(|| "eu-central-1".parse().expect("a region"));
    let access = Access { profile: case.profile.clone(), role, region, ..Access::default() };
    let session = match Session::open_in(&surroundings, Side::Source, access).await {
        Ok(session) => session,
        Err(error) => {
            let _ = error.to_string();
            return false;
        }
    };
    if let Some(context) = session.authorities.clone() {
        // As the first request would.
        let _ = connector(Some(context), None, None);
    }
    // Only panics matter, not the results.
    let _ = session.principal.identity().await.map_err(|error| error.to_string());
    let _ = session.sagemaker().list_models().send().await;
    let s3 = aws_sdk_s3::Client::from_conf(session.s3().build());
    let _ = s3.head_bucket().bucket("models").send().await;
    true
}

/// A client that answers every request with the response of the case.
fn answering(case: &Case) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Answer(case.response.clone()));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Answer((u16, String));

impl HttpConnector for Answer {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.0.clone();
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
    }
}
