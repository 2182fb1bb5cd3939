//! How the registry behaves where a test may choose: above all where it is not known how AWS behaves.

use super::rate::Rate;
use serde_json::Value;
use std::time::Duration;

type Tamper = Box<dyn FnMut(&mut Value) + Send>;

pub struct Behaviour {
    /// An empty page with a NextToken before each page of ListModelPackages.
    pub empty_pages: bool,
    /// The describe calls that a new package needs until it is Completed.
    pub describes: u64,
    /// How late DescribeModelPackage is.
    pub described: Lags,
    /// How late ListModelPackages is.
    pub listed: Lags,
    /// How long Describe and List say that a new group does not exist.
    pub group_lag: Duration,
    /// The reason with which the next created package fails.
    pub next_failure: Option<String>,
    /// Whether a client token that is known answers with what it made before.
    pub tokens: bool,
    /// Changes what describing a created package answers.
    pub tamper: Option<Tamper>,
    /// How answers spell the names of groups.
    pub spelling: Spelling,
    /// How many names were spelled in a mixture so far.
    pub tosses: u64,
    /// Whether describing a package shows digests, ETags and defaults that nobody has sent.
    pub defaults: bool,
    /// Whether describing a package shows members without content that nobody has sent.
    pub empty_members: bool,
    /// Whether groups may have tags that AWS reserves for itself.
    pub reserved_tags: bool,
    /// How many calls are answered in a second; all of them, if there is no rate.
    pub rate: Option<Rate>,
    /// The seconds by which its clock is ahead of S3's.
    pub ahead: f64,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            empty_pages: false,
            describes: 2,
            described: Lags::default(),
            listed: Lags::default(),
            group_lag: Duration::ZERO,
            next_failure: None,
            tokens: true,
            tamper: None,
            spelling: Spelling::default(),
            tosses: 0,
            defaults: false,
            empty_members: false,
            reserved_tags: false,
            rate: None,
            ahead: 0.0,
        }
    }
}

/// How the names of groups are spelled in the answers, and in which spellings requests may name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// Lower case in the ARNs of packages, as created elsewhere. Requests name groups as they were created.
    #[default]
    LowerCaseInPackageArns,
    /// Lower case everywhere. Requests may use any spelling, here and below.
    LowerCase,
    /// As created everywhere.
    AsCreated,
    /// Each name and each ARN in one of the two spellings, different from call to call and within a list.
    Mixed,
}

/// How late an operation shows what has happened.
#[derive(Clone, Copy, Default)]
pub struct Lags {
    /// Packages that were created by a call.
    pub new: Lag,
    /// Updates and deletions by a call.
    pub changes: Lag,
}

/// When something new is shown to Describe and List.
#[derive(Clone, Copy)]
pub enum Lag {
    /// After so many calls that would have shown it.
    Looks(u64),
    /// After so long.
    Time(Duration),
}

impl Default for Lag {
    fn default() -> Lag {
        Lag::Looks(0)
    }
}
