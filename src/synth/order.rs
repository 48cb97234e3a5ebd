//! Work on numbered scenes by several threads, taken in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// What the threads of `in_order` share.
struct Progress<T> {
    next: u64,
    taken: u64,
    done: BTreeMap<u64, T>,
    stopped: bool,
}

/// Makes scenes `first..first + count` on `threads` threads. `take` receives them in order on this thread, and stops
/// everything by an error.
///
/// # Errors
/// The first error of `take`.
pub fn in_order<T: Send, E>(
    first: u64,
    count: u64,
    threads: usize,
    make: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.max(1);
    let end = first.saturating_add(count);
    // Threads run at most this many scenes ahead of the consumer.
    let ahead = 2 * threads as u64;
    let shared = Mutex::new(Progress { next: first, taken: first, done: BTreeMap::new(), stopped: false });
    let changed = Condvar::new();
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    /// Wakes everyone if a thread dies, so that nobody waits for its scene.
    struct StopOnPanic<'a, T>(&'a Mutex<Progress<T>>, &'a Condvar);
    impl<T> Drop for StopOnPanic<'_, T> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
                self.1.notify_all();
            }
        }
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _guard = StopOnPanic(&shared, &changed);
                loop {
                    let mut p = lock();
                    while !p.stopped && p.next < end && p.next >= p.taken + ahead {
                        p = changed.wait(p).unwrap_or_else(PoisonError::into_inner);
                    }
                    if p.stopped || p.next >= end {
                        return;
                    }
                    let index = p.next;
                    p.next += 1;
                    drop(p);
                    let result = make(index);
                    lock().done.insert(index, result);
                    changed.notify_all();
                }
            });
        }
        let _guard = StopOnPanic(&shared, &changed);
        for index in first..end {
            let mut p = lock();
            let result = loop {
                if let Some(r) = p.done.remove(&index) {
                    break r;
                }
                if p.stopped {
                    return Ok(());
                }
                p = changed.wait(p).unwrap_or_else(PoisonError::into_inner);
            };
            p.taken = index + 1;
            drop(p);
            changed.notify_all();
            if let Err(e) = take(index, result) {
                lock().stopped = true;
                changed.notify_all();
                return Err(e);
            }
        }
        Ok(())
    })
}
