//! Model package groups and packages, and how the registry behaves.

use super::Cloud;
use crate::support::principals::{REGION, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::support::registry::{self, Lag, Lags, Rate, Spelling};
use serde_json::Value;
use std::time::Duration;

impl Cloud {
    /// Makes a group with these further members (`ModelPackageGroupDescription`, `Tags`); gives its ARN.
    pub fn create_group(&self, account: &str, name: &str, members: Value) -> String {
        registry::create_group(&mut self.world(), account, REGION, name, members)
    }

    /// Gives a group a policy to be read.
    pub fn set_group_policy(&self, account: &str, name: &str, policy: Value) {
        self.world().registry(account, REGION).set_group_policy(name, policy);
    }

    /// Puts a package of any members and any status into the source registry; gives its ARN.
    pub fn register(&self, package: Value) -> String {
        self.register_in(SOURCE_ACCOUNT, package)
    }

    /// The same in the registry of an account.
    pub fn register_in(&self, account: &str, package: Value) -> String {
        registry::register(&mut self.world(), account, REGION, package)
    }

    /// Merges members into a package, as if its owner had changed it; `null` removes a member.
    pub fn change(&self, package_arn: &str, members: Value) {
        registry::change(&mut self.world(), package_arn, members);
    }

    /// The packages of a group by version, as describing them would answer.
    pub fn packages(&self, account: &str, group: &str) -> Vec<Value> {
        self.world().home_registry(account).of_group(group)
    }

    /// The package with this ARN, in any registry.
    pub fn package(&self, arn: &str) -> Option<Value> {
        let world = self.world();
        world.registries.values().find_map(|registry| registry.package(arn)).map(|found| found.shown())
    }

    /// Deletes a group with its packages.
    pub fn remove_group(&self, account: &str, name: &str) {
        self.world().registry(account, REGION).remove_group(name);
    }

    /// The groups of an account by name, with their tags.
    pub fn groups(&self, account: &str) -> Vec<Value> {
        self.world().home_registry(account).groups()
    }

    /// Creates groups although their tags are reserved for AWS.
    pub fn accept_reserved_tags(&self) {
        self.world().options.registry.reserved_tags = true;
    }

    /// Inserts an empty page with a NextToken before each page of ListModelPackages.
    pub fn empty_pages(&self, on: bool) {
        self.world().options.registry.empty_pages = on;
    }

    /// How many describes a new package needs until it is Completed (2 unless told otherwise).
    pub fn describes_until_completed(&self, describes: u64) {
        self.world().options.registry.describes = describes;
    }

    /// Shows a created package only after so long; until then, every call but Create answers as if it did not exist.
    pub fn show_new_versions_late(&self, lag: Duration) {
        self.late(|lags| lags.new = Lag::Time(lag));
    }

    /// Shows a created package only after so many calls of Describe and List that would have shown it.
    pub fn show_new_versions_after(&self, looks: u64) {
        self.late(|lags| lags.new = Lag::Looks(looks));
    }

    /// Lists a created package only after so long. Describe shows it at once.
    pub fn list_new_versions_late(&self, lag: Duration) {
        self.world().options.registry.listed.new = Lag::Time(lag);
    }

    /// Shows what calls update or delete only after so long; until then, Describe and List show it as it was.
    pub fn show_changes_late(&self, lag: Duration) {
        self.late(|lags| lags.changes = Lag::Time(lag));
    }

    /// Shows an update only after so many calls of Describe and List that would have shown it.
    pub fn show_changes_after(&self, looks: u64) {
        self.late(|lags| lags.changes = Lag::Looks(looks));
    }

    /// Lists what calls update or delete as it was, for so long. Describe shows it as it is.
    pub fn list_changes_late(&self, lag: Duration) {
        self.world().options.registry.listed.changes = Lag::Time(lag);
    }

    /// Says for so long that a new group does not exist, in Describe and List.
    pub fn show_new_groups_late(&self, lag: Duration) {
        self.world().options.registry.group_lag = lag;
    }

    fn late(&self, set: impl Fn(&mut Lags)) {
        let registry = &mut self.world().options.registry;
        set(&mut registry.described);
        set(&mut registry.listed);
    }

    /// Spells the names of groups in this way.
    pub fn spell(&self, spelling: Spelling) {
        self.world().options.registry.spelling = spelling;
    }

    /// Shows digests, ETags and default values that nobody has sent, and a derived model card on what was created.
    pub fn add_defaults(&self) {
        self.world().options.registry.defaults = true;
    }

    /// Shows empty lists, maps and texts that nobody has sent, also where Create refuses them.
    pub fn add_empty_members(&self) {
        self.world().options.registry.empty_members = true;
    }

    /// Answers so many calls of an account in a second, and throttles the others.
    pub fn throttle_registry(&self, rate: usize) {
        self.world().options.registry.rate = Some(Rate::new(rate));
    }

    /// Sets the registry's clock ahead of S3's, or behind it.
    pub fn set_registry_ahead(&self, seconds: f64) {
        self.world().options.registry.ahead = seconds;
    }

    /// Lets a package that was created be Completed from now on.
    pub fn complete(&self, package_arn: &str) {
        registry::complete(&mut self.world(), package_arn);
    }

    /// Creates a package for every request, also where its client token is known, as registries without tokens do.
    pub fn ignore_client_tokens(&self) {
        self.world().options.registry.tokens = false;
    }

    /// Forgets the client tokens so far: a later request with one of them registers a version.
    pub fn forget_client_tokens(&self) {
        self.world().registries.values_mut().for_each(|registry| registry.tokens.clear());
    }

    /// Lets the next created package end Failed.
    pub fn fail_next_package(&self, reason: &str) {
        self.world().options.registry.next_failure = Some(reason.to_owned());
    }

    /// Changes what describing a created package answers.
    pub fn tamper(&self, change: impl FnMut(&mut Value) + Send + 'static) {
        self.world().options.registry.tamper = Some(Box::new(change));
    }

    /// The source account's ARN of a group.
    pub fn group_arn(name: &str) -> String {
        registry::group_arn(SOURCE_ACCOUNT, REGION, name)
    }

    /// The target account's ARN of a group.
    pub fn target_group_arn(name: &str) -> String {
        registry::group_arn(TARGET_ACCOUNT, REGION, name)
    }
}
