//! Limits how many versions of an account are described at a time.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::arn::AccountId;

/// Versions of one account that a process describes at a time: SageMaker throttles its control plane at low rates, which
/// AWS does not document.
const AT_ONCE: usize = 4;

/// One for all runs of a process: several groups and several targets may be in one account.
static TURNS: LazyLock<Mutex<HashMap<AccountId, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);

/// Waits until a version of this account may be described.
pub(super) async fn turn(account: &AccountId) -> OwnedSemaphorePermit {
    let semaphore = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(account.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    };
    semaphore.acquire_owned().await.expect("the semaphore is never closed")
}
