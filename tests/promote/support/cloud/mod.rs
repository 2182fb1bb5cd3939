//! The test's side of the stand-in: start it, and run programs against it. Its files fill it, script it, and look into
//! it.

mod buckets;
mod images;
mod registry;
mod script;

use super::principals::{Principal, REGION};
use super::server;
use super::tls::AUTHORITY;
use super::world::World;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, Semaphore};

/// One loopback server that is S3, SageMaker, ECR and STS of several accounts; dropping it stops it.
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
        for service in ["S3", "SAGEMAKER", "STS", "KMS", "ECR"] {
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
