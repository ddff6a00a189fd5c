//! The writer's connection, driven by the writer itself: an answer wakes the task that waits for it, with no other
//! task in between.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use super::connect::Driver;

/// What moves bytes between a client and its server; nothing once the connection has ended.
pub(super) struct Line(Option<Box<Driver>>);

impl Line {
    pub(super) fn new(driver: Driver) -> Self {
        Self(Some(Box::new(driver)))
    }

    /// Reads and writes what there is. When the connection has ended, whoever waits for an answer is told.
    fn advance(&mut self, context: &mut Context<'_>) {
        while let Some(driver) = &mut self.0 {
            match driver.poll_message(context) {
                Poll::Pending => return,
                // A notice.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => {
                    tracing::warn!(%error, "a connection to PostgreSQL ended");
                    self.0 = None;
                }
                Poll::Ready(None) => self.0 = None,
            }
        }
    }

    /// Does `work`, which talks to the server, or waits while the connection idles.
    pub(super) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.advance(context);
            let done = work.as_mut().poll(context);
            if done.is_pending() {
                // What it has just asked for.
                self.advance(context);
            }
            done
        })
        .await
    }
}
