//! What a seed stands for: objects, a way to copy them, and what goes wrong.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use fastrand::Rng;
use serde_json::json;

use crate::support::{Attributes, Body, Cloud, Failure, SOURCE_ACCOUNT, Weather};
use crate::world::*;

/// A second bucket of the source, with a key that the first one has too.
const REPORTS: &str = "reports";
const MODEL: &str = "churn/model.tar.gz";

const SLOW_DOWN: Failure = Failure::Status(503, "SlowDown", "Reduce your request rate");
const BROKEN: Failure = Failure::Status(500, "InternalError", "We encountered an internal error");

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const GIB: u64 = 1 << 30;

/// A world, a way and faults.
pub struct Case {
    way: Way,
    objects: Vec<(&'static str, String, Body, Attributes)>,
    without_checksums: bool,
    /// Keys on a page of a listing.
    page: usize,
    trouble: Trouble,
    /// What fails by chance.
    pub weather: Weather,
    /// How often the SDK tries a call.
    pub attempts: u32,
    /// When the process is killed.
    pub kill: Option<Kill>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ServerSide,
    Streamed,
    /// Two principals, and no word on who moves the bytes.
    FallingBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Throttled,
    Broken,
    Resets,
    Truncated,
    Stalled,
    All,
}

/// A signal to the process.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub signal: &'static str,
    /// When this call has arrived.
    pub call: usize,
    /// Whether the call is carried out all the same.
    pub arrives: bool,
}

impl Case {
    /// The case of a seed: always the same.
    pub fn of(seed: u64) -> Case {
        let dice = &mut Rng::with_seed(seed);
        let way = pick(dice, &[Way::ServerSide, Way::ServerSide, Way::Streamed, Way::Streamed, Way::FallingBack]);
        let objects = objects(dice, way);
        let trouble = match dice.u32(..100) {
            0..20 => Trouble::None,
            20..45 => Trouble::Throttled,
            45..50 => Trouble::Broken,
            50..65 => Trouble::Resets,
            65..75 => Trouble::Truncated,
            75..78 => Trouble::Stalled,
            _ => Trouble::All,
        };
        let killed = trouble == Trouble::None || trouble != Trouble::Stalled && dice.bool();
        let calls = 16 + 2 * objects.len() + 8;
        Case {
            way,
            without_checksums: dice.u8(..8) == 0,
            trouble,
            weather: trouble.weather(seed),
            attempts: pick(dice, &[1, 3, 3]),
            kill: killed.then(|| Kill {
                signal: pick(dice, &["KILL", "KILL", "TERM", "INT"]),
                call: dice.usize(1..=calls),
                arrives: dice.bool(),
            }),
            page: pick(dice, &[1, 2, 1000, 1000]),
            objects,
        }
    }

    /// The two accounts before anything is promoted.
    pub fn world(&self) -> Cloud {
        let cloud = world();
        cloud.create_bucket(REPORTS, SOURCE_ACCOUNT);
        cloud.describes_until_completed(1);
        cloud.default_checksums(!self.without_checksums);
        cloud.page_size(self.page);
        for (bucket, key, body, attributes) in &self.objects {
            cloud.put_with(bucket, key, body.clone(), attributes.clone());
        }
        let mut package = package();
        package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] = json!(format!("s3://{REPORTS}/{MODEL}"));
        cloud.register(package);
        cloud
    }

    /// The flags of the way.
    pub fn flags(&self) -> Vec<&'static str> {
        let mode: &[&str] = match self.way {
            Way::ServerSide => return Vec::new(),
            Way::Streamed => &["--copy-mode", "stream"],
            Way::FallingBack => &[],
        };
        TWO_PRINCIPALS.iter().chain(mode).copied().collect()
    }

    /// Whether the process is sent a signal.
    pub fn is_killed(&self) -> bool {
        self.kill.is_some()
    }

    /// Whether it may have to wait for a connection that nothing comes from.
    pub fn stalls(&self) -> bool {
        self.trouble == Trouble::Stalled
    }
}

impl Trouble {
    fn weather(self, seed: u64) -> Weather {
        let fair = Weather::new(seed);
        match self {
            Trouble::None => fair,
            Trouble::Throttled => fair.with(SLOW_DOWN, 10),
            Trouble::Broken => fair.with(BROKEN, 10),
            Trouble::Resets => fair.with(Failure::Reset, 5).with(Failure::ResetAfter, 5),
            Trouble::Truncated => fair.with(Failure::Truncate, 10),
            Trouble::Stalled => fair.with(Failure::Stall, 5),
            Trouble::All => fair
                .with(SLOW_DOWN, 10)
                .with(BROKEN, 2)
                .with(Failure::Reset, 2)
                .with(Failure::ResetAfter, 2)
                .with(Failure::Truncate, 2),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<u64> = self.objects.iter().map(|(_, _, body, _)| body.len()).collect();
        write!(f, "{:?}, {sizes:?} bytes, {} on a page, ", self.way, self.page)?;
        write!(f, "{:?}, {} attempts", self.trouble, self.attempts)?;
        match &self.kill {
            Some(Kill { signal, call, arrives }) => write!(f, ", SIG{signal} at call {call} (arrives: {arrives})"),
            None => Ok(()),
        }
    }
}

/// The model, a report of the same key in another bucket, and some objects below a prefix.
fn objects(dice: &mut Rng, way: Way) -> Vec<(&'static str, String, Body, Attributes)> {
    let mut objects = vec![
        (MODELS, MODEL.to_owned(), body(dice, way, 4), attributes(dice)),
        (REPORTS, MODEL.to_owned(), body(dice, way, 0), attributes(dice)),
    ];
    if dice.u8(..6) == 0 {
        objects.push((MODELS, "churn/llm/".to_owned(), "".into(), Attributes::default()));
    }
    for number in 1..=dice.usize(1..=6) {
        objects.push((MODELS, format!("churn/llm/shard {number}/ä+%.bin"), body(dice, way, 1), attributes(dice)));
    }
    objects
}

/// Nothing, a few bytes, or, so many times in ten, so many that they go in parts.
fn body(dice: &mut Rng, way: Way, large: u8) -> Body {
    match dice.u8(..10) {
        9 => "".into(),
        n if n >= large => bytes(dice, 1, 8 * KIB),
        _ if way == Way::ServerSide => Body::synthetic(5 * GIB + 1 + dice.u64(..2 * GIB), dice.u64(..)),
        _ => bytes(dice, 8 * MIB - 1, 17 * MIB),
    }
}

/// Part of bytes that all cases share: making them takes longer than copying them.
fn bytes(dice: &mut Rng, least: usize, most: usize) -> Body {
    static SHARED: OnceLock<Bytes> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let mut bytes = vec![0; 18 * MIB];
        Rng::with_seed(0).fill(&mut bytes);
        bytes.into()
    });
    let size = dice.usize(least..=most);
    let start = dice.usize(..=shared.len() - size);
    shared.slice(start..start + size).into()
}

fn attributes(dice: &mut Rng) -> Attributes {
    let plain = Attributes::default();
    match dice.u8(..4) {
        0 => plain.header("content-type", "application/x-tar").metadata("run", "7"),
        1 => plain.parts_of(5 * MIB as u64).header("cache-control", "no-cache"),
        _ => plain,
    }
}

fn pick<T: Copy>(dice: &mut Rng, from: &[T]) -> T {
    *dice.choice(from).expect("there is something to pick")
}
