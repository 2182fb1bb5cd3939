//! The test's side of the stand-in: start it, fill it, script it, look into it.

use super::calls::{Call, Traffic};
use super::faults::{Failure, Moment};
use super::principals::{Check, Principal, REGION, Rule, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use super::s3::{Attributes, Body, Bucket, Object, Upload};
use super::tls::AUTHORITY;
use super::weather::Weather;
use super::world::World;
use super::{registry, server};
use serde_json::Value;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, Semaphore};

/// One loopback server that is S3, SageMaker and STS of several accounts; dropping it stops it.
pub struct Cloud {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    world: Mutex<World>,
    held: Semaphore,
    /// Connections that are open and calls that are worked on.
    busy: (Mutex<usize>, Condvar),
    next_round: Notify,
    /// A call was answered.
    answered: Condvar,
    address: String,
    encrypted: AtomicBool,
    home: tempfile::TempDir,
}

impl Cloud {
    /// Starts it, empty.
    pub fn start() -> Cloud {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let port = listener.local_addr().expect("a bound listener").port();
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name(port)).enable_all().build();
        let runtime = runtime.expect("a runtime for the stand-in");
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new()),
            held: Semaphore::new(0),
            busy: Default::default(),
            next_round: Notify::new(),
            answered: Condvar::new(),
            address: format!("127.0.0.1:{port}"),
            encrypted: AtomicBool::new(false),
            home: tempfile::tempdir().expect("a home folder"),
        });
        let served = Cloud { shared: Arc::clone(&shared), runtime: None };
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a tokio listener");
            server::serve(listener, served).await;
        });
        let cloud = Cloud { shared, runtime: Some(runtime) };
        cloud.write_profiles();
        cloud
    }

    /// `http://127.0.0.1:port`, or `https` where the binary is told to use it.
    pub fn endpoint(&self) -> String {
        let scheme = if self.shared.encrypted.load(Ordering::Relaxed) { "https" } else { "http" };
        format!("{scheme}://{}", self.shared.address)
    }

    /// From now on the binary talks to it by TLS; it answers both.
    pub fn encrypt(&self) {
        self.shared.encrypted.store(true, Ordering::Relaxed);
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn port(&self) -> u16 {
        self.shared.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// What the threads of this server are called.
    #[cfg(target_os = "linux")]
    pub(crate) fn name(&self) -> String {
        name(self.port())
    }

    /// The folder that is HOME for the binary.
    pub fn home(&self) -> &Path {
        self.shared.home.path()
    }

    /// The real binary with the credentials of `who` and nothing else in its environment.
    pub fn promote(&self, who: Principal) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.process(who))
    }

    /// The same to be spawned, for tests that send signals. `PROMOTE_TEST_BINARY` names another build of it.
    pub fn process(&self, who: Principal) -> process::Command {
        let binary = std::env::var_os("PROMOTE_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_promote").into());
        self.program(binary.as_ref(), who)
    }

    /// Any program that talks to this cloud as a principal.
    pub fn program(&self, binary: &Path, who: Principal) -> process::Command {
        let mut command = process::Command::new(binary);
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        for service in ["S3", "SAGEMAKER", "STS", "KMS"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), self.endpoint());
        }
        // The SDK wants some authority even where nothing is encrypted, and not every machine has one.
        command
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", who.access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("SSL_CERT_FILE", AUTHORITY)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_CONFIG_FILE", self.home().join("aws-config"))
            .env("HOME", self.home());
        command
    }

    /// The same with no credentials in the environment but the address of an endpoint that lends some, as in a
    /// container.
    pub fn container(&self, who: Principal) -> assert_cmd::Command {
        let mut command = self.process(who);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        let lender = format!("{}/credentials/{who:?}", self.endpoint());
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", lender);
        assert_cmd::Command::from_std(command)
    }

    fn write_profiles(&self) {
        let profile = |name: &str, who: Principal| {
            let key = who.access_key_id();
            format!("[profile {name}]\nregion = {REGION}\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
        };
        let text = profile("source", Principal::Source) + &profile("target", Principal::Target);
        std::fs::write(self.home().join("aws-config"), text).expect("the AWS configuration");
    }

    /// Another handle on the same world, for the server's tasks.
    pub(crate) fn handle(&self) -> Cloud {
        Cloud { shared: Arc::clone(&self.shared), runtime: None }
    }

    pub(crate) fn locked<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of the round in which the call has arrived, where calls are answered in rounds.
    pub(crate) async fn end_of_round(&self) {
        let ended = self.shared.next_round.notified();
        if self.locked(|world| world.waiting.as_mut().map(|waiting| *waiting += 1)).is_some() {
            ended.await;
        }
    }

    /// Ends the round: every call that waits is answered.
    #[cfg(target_os = "linux")]
    pub(crate) fn end_round(&self) {
        let mut world = self.world();
        world.waiting = Some(0);
        self.shared.next_round.notify_waiters();
    }

    pub(crate) async fn released(&self) {
        if let Ok(permit) = self.shared.held.acquire().await {
            permit.forget();
        }
    }

    /// Notes how a call was answered.
    pub(crate) fn answer(&self, number: usize, status: u16, bytes_out: u64) {
        self.locked(|world| {
            let call = &mut world.calls[number - 1];
            (call.status, call.bytes_out) = (status, bytes_out);
        });
        self.shared.answered.notify_all();
    }

    /// Counts as busy as long as the guard lives.
    pub(crate) fn busy(&self) -> Busy {
        *self.shared.busy.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Busy(Arc::clone(&self.shared))
    }
}

/// Of the threads of the server at this port: at most the 15 characters that Linux keeps.
fn name(port: u16) -> String {
    format!("cloud-{port}")
}

/// A connection or a call.
pub(crate) struct Busy(Arc<Shared>);

impl Drop for Busy {
    fn drop(&mut self) {
        let (count, fewer) = &self.0.busy;
        *count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        fewer.notify_all();
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Buckets and objects.
impl Cloud {
    /// Makes a bucket of an account in the usual region.
    pub fn create_bucket(&self, name: &str, account: &str) {
        self.create_bucket_in(name, account, REGION);
    }

    /// Makes a bucket in another region.
    pub fn create_bucket_in(&self, name: &str, account: &str, region: &str) {
        self.world().buckets.insert(name.to_owned(), Bucket::new(account, region));
    }

    /// Gives a bucket a default KMS key, which writes without an encryption header use.
    pub fn encrypt_bucket(&self, name: &str, key_arn: &str) {
        self.world().buckets.get_mut(name).expect("the bucket exists").default_key = Some(key_arn.to_owned());
    }

    /// Writes an object past all rights and faults; the bucket must exist.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Body>) {
        self.put_with(bucket, key, body, Attributes::default());
    }

    /// Writes an object with headers, metadata, encryption, tags or parts.
    pub fn put_with(&self, bucket: &str, key: &str, body: impl Into<Body>, attributes: Attributes) {
        let world = &mut *self.world();
        let object = Object::new(world, body.into(), attributes);
        let bucket = world.buckets.get_mut(bucket).expect("the bucket exists");
        bucket.objects.insert(key.to_owned(), object);
    }

    /// Deletes a bucket with all that is in it.
    pub fn remove_bucket(&self, name: &str) {
        self.world().buckets.remove(name).expect("the bucket exists");
    }

    /// Deletes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").objects.remove(key);
    }

    /// The object as it is now.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.world().buckets.get(bucket)?.objects.get(key).cloned()
    }

    /// The keys of a bucket in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let world = self.world();
        world.buckets.get(bucket).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// The multipart uploads of a bucket that are neither completed nor aborted.
    pub fn uploads(&self, bucket: &str) -> Vec<Upload> {
        let world = self.world();
        world.buckets.get(bucket).map(|bucket| bucket.uploads.values().cloned().collect()).unwrap_or_default()
    }

    /// Lists at most `size` entries a page.
    pub fn page_size(&self, size: usize) {
        self.world().options.page = size;
    }

    /// Whether S3 computes a CRC64NVME where a write brings no checksum (it does unless told otherwise).
    pub fn default_checksums(&self, on: bool) {
        self.world().options.checksums = on;
    }
}

/// Model package groups and packages.
impl Cloud {
    /// Makes a group with these further members (`ModelPackageGroupDescription`, `Tags`); gives its ARN.
    pub fn create_group(&self, account: &str, name: &str, members: Value) -> String {
        registry::create_group(&mut self.world(), account, REGION, name, members)
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

    /// The groups of an account by name, with their tags.
    pub fn groups(&self, account: &str) -> Vec<Value> {
        self.world().home_registry(account).groups()
    }

    /// Inserts an empty page with a NextToken before each page of ListModelPackages.
    pub fn empty_pages(&self, on: bool) {
        self.world().options.empty_pages = on;
    }

    /// How many describes a new package needs until it is Completed (2 unless told otherwise).
    pub fn describes_until_completed(&self, describes: u64) {
        self.world().options.describes = describes;
    }

    /// Shows a created package only after so long; until then, every call but Create answers as if it did not exist.
    pub fn show_new_versions_late(&self, lag: Duration) {
        self.world().options.lag = registry::Lag::Time(lag);
    }

    /// Shows a created package only after so many calls of Describe and List that would have shown it.
    pub fn show_new_versions_after(&self, looks: u64) {
        self.world().options.lag = registry::Lag::Looks(looks);
    }

    /// Lets a package that was created be Completed from now on.
    pub fn complete(&self, package_arn: &str) {
        registry::complete(&mut self.world(), package_arn);
    }

    /// Creates a package for every request, also where its client token is known, as registries without tokens do.
    pub fn ignore_client_tokens(&self) {
        self.world().options.tokens = false;
    }

    /// Answers so many calls of an account in a second, and throttles the others.
    pub fn throttle_registry(&self, rate: usize) {
        self.world().options.rate = Some(rate);
    }

    /// Lets the next created package end Failed.
    pub fn fail_next_package(&self, reason: &str) {
        self.world().options.next_failure = Some(reason.to_owned());
    }

    /// Changes what describing a created package answers.
    pub fn tamper(&self, change: impl FnMut(&mut Value) + Send + 'static) {
        self.world().options.tamper = Some(Box::new(change));
    }
}

/// Rights, the script, and the record.
impl Cloud {
    /// Forbids an action (`s3:ListBucket`, `sagemaker:*`) on a resource (`bucket/key`, ARN, KMS key; may end in `*`).
    pub fn deny(&self, who: Principal, action: &str, resource: &str) {
        self.rule(who, action, resource, false);
    }

    /// Allows one.
    pub fn allow(&self, who: Principal, action: &str, resource: &str) {
        self.rule(who, action, resource, true);
    }

    /// Lends credentials for so many seconds from now on: to assumed roles and to containers.
    pub fn lend_for(&self, seconds: f64) {
        self.world().options.lifetime = seconds;
    }

    /// All credentials that were lent are expired, whatever was said when they were handed out.
    pub fn expire_credentials(&self) {
        self.world().sessions.values_mut().for_each(|lent| lent.expires = 0.0);
    }

    fn rule(&self, principal: Principal, action: &str, resource: &str, allow: bool) {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        self.world().rules.push(Rule { principal, action, resource, allow });
    }

    /// Lets the calls of a moment fail.
    pub fn fail(&self, at: Moment, failure: Failure) {
        self.world().script.fail(at, failure);
    }

    /// Runs `action` once, when the first call of the moment has arrived and before it is carried out.
    pub fn hook(&self, at: Moment, action: impl FnOnce(&Cloud) + Send + 'static) {
        self.world().script.hook(at, Box::new(action));
    }

    /// Lets calls fail by chance.
    pub fn weather(&self, weather: Weather) {
        self.world().script.weather(weather);
    }

    /// Waits until every client is gone and all that they asked for has been done; false when that takes a minute.
    pub fn settles(&self) -> bool {
        let (count, fewer) = &self.shared.busy;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let (_idle, late) = fewer
            .wait_timeout_while(count, Duration::from_secs(60), |count| *count > 0)
            .unwrap_or_else(PoisonError::into_inner);
        !late.timed_out()
    }

    /// Waits until so many calls of an operation were answered with 200; false when that takes a minute.
    pub fn succeeds(&self, operation: &str, calls: usize) -> bool {
        let succeeded =
            |world: &World| world.calls.iter().filter(|call| call.operation == operation && call.status == 200).count();
        let minute = Duration::from_secs(60);
        let waited = self.shared.answered.wait_timeout_while(self.world(), minute, |world| succeeded(world) < calls);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Forgets every scripted failure and hook: from now on all goes well.
    pub fn heal(&self) {
        self.world().script.clear();
    }

    /// Lets all held calls go on, now and later.
    pub fn release(&self) {
        self.shared.held.add_permits(1 << 20);
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Every right that the calls so far needed, granted or not.
    pub fn checks(&self) -> Vec<Check> {
        self.world().checks.borrow().clone()
    }

    /// Forgets the rights that were needed so far.
    pub fn forget_checks(&self) {
        self.world().checks.borrow_mut().clear();
    }

    /// The calls of one operation.
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// Object content that passed through the client, of the calls that `which` picks.
    pub fn traffic(&self, which: impl Fn(&Call) -> bool) -> Traffic {
        Traffic::of(self.world().calls.iter().filter(|call| which(call)))
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
