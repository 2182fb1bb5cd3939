//! Makes the policies that let the pipelines read the source account, and the commands that apply them.
//!
//! Cross-account access takes two policies: the policy of the build's role allows the calls, and the policies of the
//! source's resources allow that role. The template has the first, this folder makes the others. `policies` makes the
//! documents, `places` says how each is applied, and `script` writes the commands as a script for each account.

mod places;
mod policies;
mod remarks;
mod script;
mod step;

pub use script::scripts;
pub use step::{GrantStep, Grants, Pair, Reader};

/// The grants for these groups; nothing without a group.
pub fn grants(pairs: &[Pair<'_>]) -> Grants {
    let mut steps = places::steps(pairs);
    for (number, step) in (1..).zip(&mut steps) {
        step.order = number;
    }
    Grants { remarks: remarks::remarks(pairs), steps }
}
