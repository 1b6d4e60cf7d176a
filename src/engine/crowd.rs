//! Many pieces of work at once, and never more than so many.

use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream;

/// How many calls of one kind are under way at once.
///
/// More would be faster only until AWS's limits of requests a second are met (Lambda takes 15 changes a second,
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests>).
pub const AT_ONCE: usize = 8;

/// Does all of the work, at most [`AT_ONCE`] pieces at a time, and gives the results in the order of the work.
///
/// A piece that fails does not stop the others: what was begun is brought to its end.
pub async fn crowd<F: Future>(work: Vec<F>) -> Vec<F::Output> {
    stream::iter(work).buffered(AT_ONCE).collect().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn results_keep_their_order_and_no_more_than_the_limit_is_under_way() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let began = tokio::time::Instant::now();
        let work = (0..100_u64).map(|number| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                tokio::time::sleep(Duration::from_millis(100 - number)).await;
                now.set(now.get() - 1);
                number
            }
        });
        assert_eq!(crowd(work.collect()).await, (0..100).collect::<Vec<_>>());
        assert_eq!(most.get(), AT_ONCE);
        assert!(began.elapsed() < Duration::from_millis(100 * 100 / 8), "{:?}", began.elapsed());
        assert_eq!(crowd(Vec::<std::future::Ready<()>>::new()).await, [(); 0]);
    }
}
