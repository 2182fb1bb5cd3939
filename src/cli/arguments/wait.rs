//! The flag for how long a run waits.

use clap::Args;

use super::values::number;

/// The flag for how long a run waits.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Seconds to wait for SageMaker, or for another run, to complete a version
    #[arg(long, env = "PROMOTE_WAIT_SECONDS", value_name = "SECONDS", default_value_t = 900, value_parser = number(1u64..=86_400))]
    pub wait_seconds: u64,
}
