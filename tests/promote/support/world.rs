//! Everything that the stand-in holds, behind one lock.

use super::calls::Call;
use super::ecr::Registries;
use super::faults::Script;
use super::policies::Policies;
use super::principals::{Check, Identity, Lent, REGION, Rule, Sessions};
use super::registry::{Behaviour, Rate, Registry};
use super::s3::Bucket;
use super::wire::Refusal;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct World {
    pub buckets: BTreeMap<String, Bucket>,
    /// By account and region.
    pub registries: BTreeMap<(String, String), Registry>,
    pub ecr: Registries,
    pub sessions: Sessions,
    pub rules: Vec<Rule>,
    /// What allows what the rules deny.
    pub policies: Policies,
    pub calls: Vec<Call>,
    /// The numbers of the calls that were carried out, in the order in which they were.
    pub carried_out: Vec<usize>,
    /// Every right that was asked for, in order.
    pub checks: RefCell<Vec<Check>>,
    pub script: Script,
    pub options: Options,
    /// How many calls wait for the end of the round; nothing where calls are answered at once.
    pub waiting: Option<usize>,
    last_time: f64,
    serial: u64,
}

/// How the services behave, where a test may choose.
pub struct Options {
    /// At most so many keys in one page of ListObjectsV2, ListParts and ListMultipartUploads.
    pub page: usize,
    pub registry: Behaviour,
    /// Whether S3 computes a CRC64NVME for objects that come without a checksum.
    pub checksums: bool,
    /// Whether CopyObject takes If-None-Match, as it does not in every partition.
    pub conditional_copies: bool,
    /// The partition of the source account, if it is another one than the target's.
    pub source_partition: Option<&'static str>,
    /// What S3 calls itself.
    pub server: &'static str,
    /// How long credentials are lent, in seconds.
    pub lifetime: f64,
    /// By how many seconds STS's clock is ahead.
    pub ahead: f64,
    /// How long each call takes longer.
    pub delay: Duration,
    /// How many calls of each operation are answered in a second; all of them, if there is no rate.
    pub rate: Option<Rate>,
}

impl World {
    pub fn new() -> World {
        World {
            buckets: BTreeMap::new(),
            registries: BTreeMap::new(),
            ecr: Registries::default(),
            sessions: BTreeMap::new(),
            rules: Vec::new(),
            policies: Policies::default(),
            calls: Vec::new(),
            carried_out: Vec::new(),
            checks: RefCell::default(),
            script: Script::default(),
            options: Options {
                page: 1000,
                registry: Behaviour::default(),
                checksums: true,
                conditional_copies: true,
                source_partition: None,
                server: "AmazonS3",
                lifetime: 3600.0,
                ahead: 0.0,
                delay: Duration::ZERO,
                rate: None,
            },
            waiting: None,
            last_time: 0.0,
            serial: 0,
        }
    }

    /// Seconds since 1970 in whole milliseconds; never the same twice.
    pub fn now(&mut self) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let next = (self.last_time * 1000.0).round() as u64 + 1;
        let millis = (now.as_millis() as u64).max(next);
        self.last_time = millis as f64 / 1000.0;
        self.last_time
    }

    /// The time of the registry, whose clock may differ.
    pub fn registry_now(&mut self) -> f64 {
        self.now() + self.options.registry.ahead
    }

    /// A number that was not given out before.
    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Lends new credentials to somebody; gives the access key id and the rest.
    pub fn lend(&mut self, who: Identity) -> (String, Lent) {
        let serial = self.serial();
        let expires = self.now() + self.options.lifetime;
        let (key, lent) = (format!("ASIA{serial:016}"), Lent { who, token: format!("token-{serial}"), expires });
        self.sessions.insert(key.clone(), lent.clone());
        (key, lent)
    }

    pub fn registry(&mut self, account: &str, region: &str) -> &mut Registry {
        self.registries.entry((account.to_owned(), region.to_owned())).or_default()
    }

    /// The registry of an account in the usual region.
    pub fn home_registry(&mut self, account: &str) -> &mut Registry {
        self.registry(account, REGION)
    }

    pub fn bucket(&self, name: &str) -> Result<&Bucket, Refusal> {
        self.buckets.get(name).ok_or_else(|| Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"))
    }

    pub fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, Refusal> {
        self.buckets
            .get_mut(name)
            .ok_or_else(|| Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"))
    }

    pub fn may(&self, who: &Identity, action: &str, resource: &str, owner: &str) -> bool {
        self.checks.borrow_mut().push(Check::of(who, action, resource, owner));
        super::principals::may((&self.rules, &self.policies), who, action, resource, owner)
    }
}
