//! Time that passes only where everybody waits.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The time, and who waits until when.
#[derive(Debug, Clone, Default)]
pub(super) struct Still(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// Among waits until the same moment, the one that began first comes first.
    waiting: BTreeMap<(Duration, u64), Waker>,
    begun: u64,
}

impl Still {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.state().now
    }

    pub(super) fn sleep(&self, span: Duration) -> Sleep {
        let mut state = self.state();
        state.begun += 1;
        Sleep { still: self.clone(), until: (state.now + span, state.begun) }
    }

    /// Jumps to the end of the next wait; false where nobody waits.
    fn jump(&self) -> bool {
        let mut state = self.state();
        let Some(((until, _), waker)) = state.waiting.pop_first() else { return false };
        state.now = state.now.max(until);
        drop(state);
        waker.wake();
        true
    }

    /// Polls the work, and lets time pass whenever nothing in it can go on without that.
    pub(super) async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let alarm = Arc::new(Alarm::default());
        let waker = Waker::from(Arc::clone(&alarm));
        poll_fn(|context| {
            alarm.passes_on_to(context.waker());
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(done);
            }
            // Each round is one of the runtime's, so that signals and its own budget have their turn.
            if alarm.rang() || self.jump() {
                context.waker().wake_by_ref();
            }
            // Otherwise it waits for the world outside.
            Poll::Pending
        })
        .await
    }
}

/// Whether something in the work can go on.
#[derive(Debug, Default)]
struct Alarm {
    rang: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Alarm {
    fn rang(&self) -> bool {
        self.rang.swap(false, Ordering::SeqCst)
    }

    fn passes_on_to(&self, waker: &Waker) {
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        outer.get_or_insert_with(|| waker.clone()).clone_from(waker);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        if let Some(outer) = self.outer.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            outer.wake_by_ref();
        }
    }
}

/// A wait, which counts from its beginning and not from when it is polled.
#[derive(Debug)]
pub(super) struct Sleep {
    still: Still,
    until: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.still.state();
        if self.until.0 <= state.now {
            state.waiting.remove(&self.until);
            return Poll::Ready(());
        }
        state.waiting.insert(self.until, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.still.state().waiting.remove(&self.until);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A paused runtime's time would pass, too, if anything here waited for it.
    #[tokio::test(start_paused = true)]
    async fn time_passes_where_everybody_waits_and_in_the_order_of_the_ends() {
        let (clock, wall) = (Clock::still(), tokio::time::Instant::now());
        let order = Mutex::new(Vec::new());
        let one = |name: &'static str, seconds: u32| {
            let (clock, order) = (clock.clone(), &order);
            async move {
                clock.sleep(SECOND * seconds).await;
                order.lock().unwrap().push((name, clock.elapsed()));
            }
        };
        clock
            .drive(async {
                tokio::join!(one("long", 3600), one("short", 5), one("also short", 5));
                clock.sleep(SECOND).await;
            })
            .await;
        let order = order.into_inner().unwrap();
        assert_eq!(order, [("short", SECOND * 5), ("also short", SECOND * 5), ("long", SECOND * 3600)]);
        assert_eq!(clock.elapsed(), SECOND * 3601);
        assert_eq!(wall.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_holds_nobody() {
        let clock = Clock::still();
        clock
            .drive(async {
                tokio::select! {
                    () = clock.sleep(SECOND * 100) => panic!("the longer one came first"),
                    () = clock.sleep(SECOND) => {}
                }
                assert_eq!(clock.elapsed(), SECOND);
                clock.sleep(SECOND).await;
            })
            .await;
        assert_eq!(clock.elapsed(), SECOND * 2);
    }

    /// What comes from outside, and on the runtime's own time, is awaited without a jump.
    #[tokio::test(start_paused = true)]
    async fn the_world_outside_is_awaited_while_the_clock_stands() {
        let clock = Clock::still();
        let (send, receive) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND * 7).await;
            send.send(7).unwrap();
        });
        let heard = clock.drive(async { receive.await.unwrap() }).await;
        assert_eq!((heard, clock.elapsed()), (7, Duration::ZERO));
    }

    /// More than the runtime lets a task do in one go.
    #[tokio::test(start_paused = true)]
    async fn many_short_waits_and_messages_come_to_an_end() {
        let clock = Clock::still();
        let (send, mut receive) = tokio::sync::mpsc::channel(1);
        let all = clock.drive(async {
            let sending = async {
                for number in 0..10_000_u32 {
                    send.send(number).await.unwrap();
                    clock.sleep(Duration::from_millis(1)).await;
                }
                drop(send);
            };
            let receiving = async {
                let mut sum = 0_u64;
                while let Some(number) = receive.recv().await {
                    sum += u64::from(number);
                }
                sum
            };
            tokio::join!(sending, receiving).1
        });
        assert_eq!(all.await, 49_995_000);
        assert_eq!(clock.elapsed(), SECOND * 10);
    }
}
