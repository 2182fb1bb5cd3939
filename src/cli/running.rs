//! Runs a verb until it ends, fails or is interrupted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Error, Result};

use super::arguments::PackageArgs;
use super::exit::Exit;
use super::failed::FailedRun;
use super::printer::{Printer, failed, say};
use super::signals::Signals;
use super::step_before::StepBefore;
use super::terminal::Terminal;
use crate::record::Build;
use crate::run::Context;

/// How long an interrupted run may take to abort its uploads.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// A verb that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub verb: &'static str,
    pub printer: Arc<Printer>,
    pub terminal: Arc<Terminal>,
    on_interruption: Arc<OnInterruption>,
}

/// Prints the document of an interrupted run, given the signal and whether uploads were aborted.
type Conclude = Box<dyn FnOnce(&'static str, bool) + Send>;

/// How a run that has results concludes if it is interrupted.
#[derive(Default)]
struct OnInterruption(Mutex<Option<Conclude>>);

impl fmt::Debug for OnInterruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnInterruption").finish_non_exhaustive()
    }
}

impl OnInterruption {
    fn replace(&self, conclude: Option<Conclude>) -> Option<Conclude> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), conclude)
    }
}

impl Running {
    /// A verb that begins.
    pub fn new(verb: &'static str, printer: Printer, terminal: Terminal) -> Self {
        let (printer, terminal) = (Arc::new(printer), Arc::new(terminal));
        Self { verb, printer, terminal, on_interruption: Arc::default() }
    }

    /// Lets an interruption print the results that there are, until [`Self::has_ended`].
    pub fn on_interruption(&self, conclude: impl FnOnce(&'static str, bool) + Send + 'static) {
        self.on_interruption.replace(Some(Box::new(conclude)));
    }

    /// The run has all results, and prints them itself.
    pub fn has_ended(&self) {
        self.terminal.stop();
        self.on_interruption.replace(None);
    }

    /// Runs a verb until it ends or is interrupted. Aborts the multipart uploads of an interrupted verb, until a second
    /// signal arrives.
    pub async fn run(&self, context: Context, verb: impl AsyncFnOnce(&Context) -> Result<Exit>) -> Result<Exit> {
        let mut signals = self.signals()?;
        let context = context.with_observer(self.terminal.clone()).with_build(build());
        // Boxed: the compiler limits how deep futures nest.
        let signal = match until_interrupted(Box::pin(verb(&context)), &mut signals).await {
            Ok(ended) => return ended,
            Err(signal) => signal,
        };
        self.terminal.stop();
        let cleaned = tokio::select! {
            () = context.abort() => true,
            () = tokio::time::sleep(CLEAN_UP) => false,
            _ = signals.next() => false,
        };
        Ok(self.interrupted(signal, cleaned))
    }

    /// Reads the document of the step before, or waits for the signal that arrives first.
    pub async fn read_step_before(&self, package: &PackageArgs) -> Result<Result<StepBefore, Exit>> {
        match until_interrupted(package.step_before(self.verb), &mut self.signals()?).await {
            Ok(before) => before.map(Ok),
            Err(signal) => Ok(Err(self.interrupted(signal, true))),
        }
    }

    /// The signals from now on. A run that is busy with a computation is not awaited: its open uploads stay.
    fn signals(&self) -> std::io::Result<Signals> {
        let running = self.clone();
        Signals::listen(move |signal| {
            running.terminal.stop();
            std::process::exit(running.interrupted(signal, false).code());
        })
    }

    /// Reports the failure that ends the run.
    pub fn fail(&self, error: &Error) -> Exit {
        let known = self.terminal.known();
        let exit = failed(error, &known);
        self.printer.end(&FailedRun::of(self.verb, error, &known));
        exit
    }

    /// Reports arguments, or a file of them, that are wrong.
    pub fn refuse(&self, error: &Error) -> Exit {
        let known = self.terminal.known();
        failed(error, &known);
        self.printer.end(&FailedRun::of(self.verb, error, &known));
        Exit::Usage
    }

    /// Reports what an interrupted run has left behind. `cleaned`: whether its uploads were aborted.
    fn interrupted(&self, signal: &'static str, cleaned: bool) -> Exit {
        if let Some(conclude) = self.on_interruption.replace(None) {
            conclude(signal, cleaned);
            return Exit::Interrupted;
        }
        let known = self.terminal.known();
        let message = format!("{signal}: interrupted; {}", known.left(cleaned));
        say(&format!("{message}. Run again to continue"));
        self.printer.end(&FailedRun::interrupted(self.verb, &message, &known));
        Exit::Interrupted
    }
}

/// Waits for `work`, or for the signal that arrives first.
async fn until_interrupted<T>(work: impl Future<Output = T>, signals: &mut Signals) -> Result<T, &'static str> {
    tokio::select! {
        done = work => Ok(done),
        signal = signals.next() => Err(signal),
    }
}

/// The CodeBuild build that runs promote, if there is one.
fn build() -> Option<Build> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Build {
        arn: variable("CODEBUILD_BUILD_ARN")?,
        id: variable("CODEBUILD_BUILD_ID"),
        number: variable("CODEBUILD_BUILD_NUMBER"),
        initiator: variable("CODEBUILD_INITIATOR"),
    })
}
