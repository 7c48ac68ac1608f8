//! How many batches of a mapping are handled at the same time: few at first, more while there is a backlog
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};

/// Concurrent batches: at first, more each second while there is a backlog, and at most.
const FIRST_CONCURRENCY: usize = 5;
const MORE_CONCURRENCY_PER_SECOND: usize = 5;
const LARGEST_CONCURRENCY: usize = 1_250;

/// Gives out the permits to handle a batch.
pub(super) struct Scaling {
    permits: Arc<Semaphore>,
    /// How many permits there are, with those that are given out.
    concurrency: usize,
    maximum: usize,
    grown: Instant,
}

impl Scaling {
    /// As a mapping begins that handles no more than `maximum` batches, if that is given.
    pub(super) fn new(maximum: Option<u32>) -> Self {
        let maximum = maximum.map_or(LARGEST_CONCURRENCY, |maximum| maximum as usize);
        let concurrency = FIRST_CONCURRENCY.min(maximum);
        Self {
            permits: Arc::new(Semaphore::new(concurrency)),
            concurrency,
            maximum,
            grown: Instant::now(),
        }
    }

    /// Waits until one more batch may be handled. A function that is throttled gets no more at a time.
    pub(super) async fn permit(&mut self, is_throttled: impl Fn() -> bool) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.permits.available_permits() == 0 && !is_throttled() {
                self.grow();
            }
            // Where all are taken, room comes with the end of a batch or with the next second's growth.
            tokio::select! {
                permit = Arc::clone(&self.permits).acquire_owned() => return permit.ok(),
                () = sleep(Duration::from_secs(1)), if self.can_grow() => {}
            }
        }
    }

    /// A backlog begins now, if any.
    pub(super) fn begin_anew(&mut self) {
        self.grown = Instant::now();
    }

    /// Back to what it was at first, as far as there is room. AWS does not say how soon it does so.
    pub(super) fn shrink(&mut self) {
        let more_than_at_first = self.concurrency.saturating_sub(FIRST_CONCURRENCY);
        self.concurrency -= self.permits.forget_permits(more_than_at_first);
    }

    fn can_grow(&self) -> bool {
        self.concurrency < self.maximum
    }

    /// Five more for a whole second since the last time, or since the backlog began.
    fn grow(&mut self) {
        if self.grown.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.grown = Instant::now();
        let more = MORE_CONCURRENCY_PER_SECOND.min(self.maximum - self.concurrency);
        self.concurrency += more;
        self.permits.add_permits(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>: five batches at first, 300 more a minute,
    /// 1,250 at most.
    #[tokio::test(start_paused = true)]
    async fn concurrency_grows_by_three_hundred_a_minute_up_to_its_limit() {
        let mut scaling = Scaling::new(None);
        scaling.grow();
        assert_eq!(scaling.concurrency, 5);
        for _ in 0..60 {
            sleep(Duration::from_secs(1)).await;
            scaling.grow();
        }
        assert_eq!(scaling.concurrency, 305);
        for _ in 0..300 {
            sleep(Duration::from_secs(1)).await;
            scaling.grow();
        }
        assert_eq!((scaling.concurrency, scaling.can_grow()), (1_250, false));
        assert_eq!(scaling.permits.available_permits(), 1_250);
        assert_eq!(Scaling::new(Some(2)).concurrency, 2);
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>: with little traffic it is five again.
    #[tokio::test(start_paused = true)]
    async fn concurrency_grows_from_the_beginning_of_a_backlog_and_shrinks_without_one() {
        let mut scaling = Scaling::new(None);
        sleep(Duration::from_secs(60)).await;
        scaling.begin_anew();
        scaling.grow();
        assert_eq!(scaling.concurrency, 5);
        sleep(Duration::from_secs(1)).await;
        scaling.grow();
        assert_eq!(
            (scaling.concurrency, scaling.permits.available_permits()),
            (10, 10)
        );
        scaling.shrink();
        assert_eq!((scaling.concurrency, scaling.permits.available_permits()), (5, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn while_all_are_at_work_more_come_each_second_unless_the_function_is_throttled() {
        let mut scaling = Scaling::new(None);
        let started = Instant::now();
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(scaling.permit(|| false).await);
        }
        assert_eq!(started.elapsed(), Duration::from_secs(1));
        for _ in 6..10 {
            held.push(scaling.permit(|| true).await);
        }
        let eleventh = scaling.permit(|| true);
        assert!(
            tokio::time::timeout(Duration::from_secs(60), eleventh)
                .await
                .is_err()
        );
        held.pop();
        assert!(scaling.permit(|| true).await.is_some());
    }
}
