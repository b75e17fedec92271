//! Letting others run: the budget that every task has, for futures that are not goro's.
//!
//! A poll starts with 128 units. Each leaf operation of goro's spends one when it is done at once,
//! and with none left pretends not to be ready, so that the task yields. Code that computes between
//! such operations, or has operations of another library's, can take part by hand.
//!
//! Outside of a task nothing ever yields for its budget. The idea is tokio's; here every operation
//! that may be ready at once takes part, errors included.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Poll, ready};
use goro_context::budget;

pub use goro_context::budget::unconstrained;

/// Spends one unit, and yields first if there is none left.
///
/// For loops whose rounds are short and never wait: awaited once in each round, it lets others run
/// every 128 rounds, and costs a few instructions in the others.
///
/// # Cancel safety
/// Safe: nothing is lost when the future is dropped.
///
/// # Example
/// ```
/// # let runtime = goro_runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let mut sum = 0_u64;
/// for n in 0..10_000 {
///     sum += n;
///     goro_runtime::coop::consume().await;
/// }
/// assert_eq!(sum, 49_995_000);
/// # });
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
pub async fn consume() {
    poll_fn(|cx| budget::poll_spend(cx).map(drop)).await;
}

/// Makes `future` spend one unit in each poll that gets it done, and yield when there is none left.
///
/// For operations of another library's that may be ready at once, over and over.
///
/// # Cancel safety
/// That of `future`.
///
/// # Example
/// ```
/// use goro_runtime::coop;
/// # let runtime = goro_runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// for _ in 0..1_000 {
///     coop::cooperative(std::future::ready(1)).await;
/// }
/// # });
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
pub async fn cooperative<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(move |cx| {
        let spent = ready!(budget::poll_spend(cx));
        // Panic: the future's own; the unit stays spent.
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            spent.refund();
        }
        polled
    })
    .await
}

#[expect(dead_code, reason = "what is checked is that it compiles")]
fn each_may_be_sent() {
    fn sent<T: Send>(_: T) {}
    sent(consume());
    sent(cooperative(core::future::ready(Poll::Ready(()))));
    sent(unconstrained(core::future::ready(())));
}
