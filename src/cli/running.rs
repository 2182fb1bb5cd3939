//! Runs a verb until it ends, fails or is interrupted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Error, Result};

use super::arguments::PackageArgs;
use super::ending::Ender;
use super::exit::Exit;
use super::failed::FailedRun;
use super::printer::{Printer, failed, say};
use super::signals::Signals;
use super::step_before::StepBefore;
use super::terminal::Terminal;
use crate::model::failure::is_about_arguments;
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

    /// The run has all results, and prints them itself. Does not return if an interruption prints them and ends the
    /// process.
    pub fn has_ended(&self) {
        self.printer.claim();
        self.terminal.stop();
        self.on_interruption.replace(None);
    }

    /// Runs a verb until it ends or is interrupted. Aborts the multipart uploads of an interrupted verb, until a second
    /// signal arrives.
    pub async fn run(&self, context: Context, verb: impl AsyncFnOnce(&Context) -> Result<Exit>) -> Result<Exit> {
        let mut signals = self.signals()?;
        let context = context.with_observer(self.terminal.clone()).with_build(build());
        // Boxed: the compiler limits how deep futures nest.
        let ended = until_interrupted(Box::pin(verb(&context)), &mut signals).await;
        self.printer.ending.wait_if_signalled();
        let signal = match ended {
            Ok(ended) => return ended,
            Err(signal) => signal,
        };
        self.terminal.stop();
        let cleaned = tokio::select! {
            () = context.abort() => true,
            () = tokio::time::sleep(CLEAN_UP) => false,
            _ = signals.next() => false,
        };
        self.printer.ending.claim_for_run();
        Ok(self.interrupted(signal, cleaned))
    }

    /// Reads the document of the step before; nothing if a signal has interrupted the run.
    pub async fn read_step_before(&self, package: &PackageArgs) -> Result<Option<StepBefore>> {
        match until_interrupted(package.step_before(self.verb), &mut self.signals()?).await {
            Ok(before) => before.map(Some),
            Err(signal) => {
                self.printer.ending.claim_for_run();
                self.interrupted(signal, true);
                Ok(None)
            }
        }
    }

    /// The signals from now on. A run that is busy with a computation is not awaited: its open uploads stay.
    fn signals(&self) -> std::io::Result<Signals> {
        let running = self.clone();
        Signals::listen(move |signal| std::process::exit(running.end_by_signal(signal).code()))
    }

    /// Reports what a run has left behind that does not answer a signal. A run that prints its document does not answer
    /// while nobody reads it; then there is no other document.
    fn end_by_signal(&self, signal: &'static str) -> Exit {
        if self.printer.ending.claim(Ender::Signals) == Ender::Run {
            self.printer.ending.wait_while_written();
        }
        self.terminal.stop();
        self.interrupted(signal, false)
    }

    /// Reports the failure that ends the run.
    pub fn fail(&self, error: &Error) -> Exit {
        let known = self.terminal.known();
        let exit = failed(error, &known);
        self.printer.end(&FailedRun::of(self.verb, error, &known));
        if is_about_arguments(error) { Exit::Usage } else { exit }
    }

    /// Reports what an interrupted run has left behind. `cleaned`: whether its uploads were aborted.
    fn interrupted(&self, signal: &'static str, cleaned: bool) -> Exit {
        if let Some(conclude) = self.on_interruption.replace(None) {
            conclude(signal, cleaned);
            return Exit::Interrupted;
        }
        let known = self.terminal.known();
        let message = format!("{signal}: interrupted; {}", known.left_of_run(cleaned));
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::cli::verbosity::Verbosity;

    /// A run of which an interruption prints the results, and how often it has done so.
    fn running() -> (Running, Arc<AtomicUsize>) {
        let running = Running::new("apply", Printer::new(None), Terminal::new(Verbosity::Quiet));
        let concluded = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&concluded);
        running.on_interruption(move |_, _| {
            count.fetch_add(1, Relaxed);
        });
        (running, concluded)
    }

    #[test]
    fn a_run_that_ends_while_an_interruption_prints_its_results_does_not_print_them_too() {
        let (running, concluded) = running();
        assert_eq!(running.end_by_signal("SIGINT"), Exit::Interrupted);
        assert_eq!(concluded.load(Relaxed), 1);
        // `Printer::claim` waits as long as this is so.
        assert_eq!(running.printer.ending.claim(Ender::Run), Ender::Signals);
    }

    #[test]
    fn an_interruption_after_the_end_does_not_print_the_results_again() {
        let (running, concluded) = running();
        running.has_ended();
        assert_eq!(running.end_by_signal("SIGINT"), Exit::Interrupted);
        assert_eq!(concluded.load(Relaxed), 0);
        assert_eq!(running.printer.ending.claim(Ender::Run), Ender::Run);
    }
}
