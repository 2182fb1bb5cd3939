//! HTTP in, HTTP out: records each call, applies the script, hands the request to its service.

use super::calls::{Call, Service};
use super::cloud::Cloud;
use super::faults::Failure;
use super::principals::{credential, identify};
use super::s3::Body;
use super::tls::{ACCEPTOR, HANDSHAKE};
use super::wire::{Answer, Refusal, Request, form};
use super::{container, ecr, kms, registry, s3, sts};
use crate::support::partition;
use crate::support::world::World;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Between two bytes of a body that trickles: faster than the one byte a second that the SDK asks for.
const BETWEEN_DROPS: Duration = Duration::from_millis(200);
/// An answer's content goes out in pieces of this size.
const PIECE: u64 = 256 * 1024;

type Reply = hyper::Response<BoxBody<Bytes, io::Error>>;

/// Answers connections until the runtime stops.
pub async fn serve(listener: TcpListener, cloud: Cloud) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, cloud.handle()));
    }
}

async fn converse(stream: TcpStream, cloud: Cloud) {
    let _busy = cloud.busy();
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == HANDSHAKE => {
            if let Ok(stream) = ACCEPTOR.accept(stream).await {
                answer(stream, &cloud).await;
            }
        }
        _ => answer(stream, &cloud).await,
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, cloud: &Cloud) {
    let service = service_fn(|request| reply(cloud.handle(), request));
    // An error here is a connection that a fault or the client closed.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// What has arrived is carried out, also for a client that is gone meanwhile.
async fn reply(cloud: Cloud, incoming: hyper::Request<Incoming>) -> io::Result<Reply> {
    let request = receive(incoming).await?;
    let work = tokio::spawn(async move {
        let _busy = cloud.busy();
        work(&cloud, &request).await
    });
    work.await.map_err(io::Error::other)?
}

async fn work(cloud: &Cloud, request: &Request) -> io::Result<Reply> {
    let service = service_of(request);
    let request = &with_body(request, partition::inward(cloud, service, &request.body));
    let (number, failure) = arrive(cloud, service, request).await;
    cloud.end_of_round().await;
    let delay = cloud.locked(|world| world.options.delay);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match failure {
        Some(Failure::Reset) => return Err(io::Error::other("reset on purpose")),
        Some(Failure::Hang) => cloud.released().await,
        _ => {}
    }
    let scripted = match failure {
        Some(Failure::Status(status, code, message)) => Some(Refusal::new(status, code, message)),
        Some(Failure::InBody(code, message)) => Some(Refusal::new(200, code, message)),
        Some(Failure::ElsewhereIn(status, code, region)) => Some(Refusal::elsewhere(status, code, region)),
        _ => None,
    };
    let mut answer = carry_out(cloud, service, (number, request), scripted);
    answer.body = partition::outward(cloud, service, answer.body);
    match failure {
        Some(Failure::ResetAfter) => return Err(io::Error::other("reset on purpose")),
        Some(Failure::HangAfter) => cloud.released().await,
        _ => {}
    }
    if request.method == "HEAD" {
        answer.announced = Some(answer.announced.unwrap_or(answer.body.len()));
        answer.body = Bytes::new().into();
    }
    let announced = answer.announced.unwrap_or(answer.body.len());
    let ending = match failure {
        Some(Failure::Truncate) => Ending::BreaksOff,
        Some(Failure::Stall | Failure::StallAt(_)) => Ending::Stalls,
        Some(Failure::Trickle) => Ending::Trickles(answer.body.clone()),
        _ => Ending::Whole,
    };
    if !matches!(ending, Ending::Whole) {
        let bytes = match failure {
            Some(Failure::StallAt(bytes)) => bytes,
            _ => answer.body.len() / 2,
        };
        answer.body = answer.body.range(0, bytes);
    }
    let status = answer.status;
    let sent = answer.body.len();
    cloud.answer(number, status, sent);
    Ok(respond(answer, announced, ending))
}

fn with_body(request: &Request, body: Bytes) -> Request {
    let (method, path) = (request.method.clone(), request.path.clone());
    Request { method, path, query: request.query.clone(), headers: request.headers.clone(), body }
}

/// How an answer's content ends.
enum Ending {
    Whole,
    BreaksOff,
    Stalls,
    Trickles(Body),
}

async fn receive(incoming: hyper::Request<Incoming>) -> io::Result<Request> {
    let (head, body) = incoming.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form(head.uri.query().unwrap_or("")),
        headers: head.headers,
        body,
    })
}

fn service_of(request: &Request) -> Service {
    let scope = credential(request).unwrap_or("").split('/').nth(3).unwrap_or("");
    if request.path.starts_with(container::PATH) {
        Service::Container
    } else if request.path.starts_with(ecr::PATH) {
        Service::Layers
    } else if request.header("x-amz-target").is_some_and(ecr::is_target) {
        Service::Ecr
    } else if request.header("x-amz-target").is_some_and(|target| target.starts_with("TrentService.")) {
        Service::Kms
    } else if request.headers.contains_key("x-amz-target") {
        Service::SageMaker
    } else if scope == "sts" || request.path == "/" && request.method == "POST" {
        Service::Sts
    } else {
        Service::S3
    }
}

/// Records the call and runs what the test has hooked to it.
async fn arrive(cloud: &Cloud, service: Service, request: &Request) -> (usize, Option<Failure>) {
    let (number, actions, failure) = cloud.locked(|world| {
        let (operation, resource) = match service {
            Service::S3 => s3::name(request),
            Service::SageMaker => registry::name(request),
            Service::Sts => sts::name(request),
            Service::Container => container::name(request),
            Service::Kms => kms::name(request),
            Service::Ecr => ecr::name(request),
            Service::Layers => ecr::name_of_download(request),
        };
        let call = Call {
            number: world.calls.len() + 1,
            service,
            operation,
            resource,
            who: identify(request, &world.sessions).ok(),
            request: asked(service, request),
            headers: headers(request),
            status: 0,
            bytes_in: s3::content_length(request),
            bytes_out: 0,
        };
        let (actions, failure) = world.script.arrives(&call);
        let number = call.number;
        world.calls.push(call);
        (number, actions, failure)
    });
    for action in actions {
        let cloud = cloud.handle();
        let _ = tokio::task::spawn_blocking(move || action(&cloud)).await;
    }
    (number, failure)
}

fn asked(service: Service, request: &Request) -> Value {
    match service {
        Service::SageMaker | Service::Kms => serde_json::from_slice(&request.body).unwrap_or(Value::Null),
        Service::Sts => serde_json::json!(sts::members(request)),
        Service::Ecr => ecr::asked(request),
        Service::S3 | Service::Container | Service::Layers => serde_json::json!(request.query),
    }
}

fn headers(request: &Request) -> std::collections::BTreeMap<String, String> {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn carry_out(
    cloud: &Cloud,
    service: Service,
    (number, request): (usize, &Request),
    scripted: Option<Refusal>,
) -> Answer {
    let (result, id, (server, ahead)) = cloud.locked(|world| {
        let result = match scripted.or_else(|| throttled(world, service, request)) {
            Some(refusal) => Err(refusal),
            None if service == Service::Container => container::answer(world, request),
            None if service == Service::Layers => ecr::answer_download(world, request),
            None => identify(request, &world.sessions).and_then(|who| match service {
                Service::S3 => s3::answer(world, &who, request),
                Service::SageMaker => registry::answer(world, &who, request),
                Service::Sts => sts::answer(world, &who, request),
                Service::Container => container::answer(world, request),
                Service::Kms => kms::answer(world, &who, request),
                Service::Ecr => ecr::answer(world, &who, request, cloud.endpoint()),
                Service::Layers => ecr::answer_download(world, request),
            }),
        };
        if result.is_ok() {
            world.carried_out.push(number);
        }
        (result, format!("{:016X}", world.serial()), (world.options.server, world.options.ahead))
    });
    let header = match service {
        Service::S3 | Service::Layers => "x-amz-request-id",
        Service::SageMaker | Service::Sts | Service::Container | Service::Kms | Service::Ecr => "x-amzn-requestid",
    };
    let answer = result.unwrap_or_else(|refusal| {
        let mut answer = match service {
            Service::S3 | Service::Layers => s3::refuse(&refusal, request, &id),
            Service::SageMaker | Service::Kms | Service::Ecr => registry::refuse(&refusal),
            Service::Sts => sts::refuse(&refusal, &id),
            Service::Container => container::refuse(&refusal),
        };
        answer.status = refusal.status;
        answer.headers.extend(refusal.headers);
        answer
    });
    match service {
        Service::S3 => answer.with(header, id).with("server", server),
        Service::Sts => answer.with(header, id).with("date", s3::dates::http(super::principals::now() + ahead)),
        _ => answer.with(header, id),
    }
}

/// The refusal of a call of an operation that was called too often in the last second.
fn throttled(world: &mut World, service: Service, request: &Request) -> Option<Refusal> {
    let rate = world.options.rate.as_mut()?;
    let (operation, refusal) = match service {
        Service::S3 => (s3::name(request).0, Refusal::new(503, "SlowDown", "Please reduce your request rate.")),
        Service::SageMaker => (registry::name(request).0, Refusal::new(400, "ThrottlingException", "Rate exceeded")),
        Service::Sts => (sts::name(request).0, Refusal::new(400, "Throttling", "Rate exceeded")),
        Service::Ecr => (ecr::name(request).0, Refusal::new(400, "ThrottlingException", "Rate exceeded")),
        Service::Container | Service::Kms | Service::Layers => return None,
    };
    (!rate.has_room(&operation)).then_some(refusal)
}

fn respond(answer: Answer, announced: u64, ending: Ending) -> Reply {
    let mut builder = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value.as_bytes());
    }
    if answer.status != 204 && answer.status != 304 {
        builder = builder.header("content-length", announced);
    }
    let pieces = stream::unfold((answer.body, 0, ending), |(body, at, ending)| async move {
        if at < body.len() {
            let take = PIECE.min(body.len() - at);
            let piece = Ok(Frame::data(body.range(at, take).bytes()));
            return Some((piece, (body, at + take, ending)));
        }
        match ending {
            Ending::Whole => None,
            Ending::BreaksOff => {
                // What there is goes out first: otherwise it would wait for more, and be lost with the connection.
                tokio::task::yield_now().await;
                Some((Err(io::Error::other("truncated on purpose")), (body, at, Ending::Whole)))
            }
            Ending::Stalls => std::future::pending().await,
            Ending::Trickles(whole) if at < whole.len() => {
                tokio::time::sleep(BETWEEN_DROPS).await;
                let piece = Ok(Frame::data(whole.range(at, 1).bytes()));
                Some((piece, (body, at + 1, Ending::Trickles(whole))))
            }
            Ending::Trickles(_) => None,
        }
    });
    builder.body(BodyExt::boxed(StreamBody::new(pieces))).expect("headers are plain")
}
