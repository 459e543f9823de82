//! Waiting for what is going to happen, never for time to pass.

use std::{fmt::Display, time::Duration};

/// How long anything may take. A loaded computer is slow, and a good test does not wait this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks until there is something to see, or patience ends.
pub async fn soon<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    seen.await.ok()
}

/// The same, where it is a failure that there never is anything.
pub async fn eventually<T>(what: impl Display, look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = soon(look).await;
    seen.unwrap_or_else(|| panic!("waited {} s in vain for {what}", PATIENCE.as_secs()))
}
