//! The same work on many items, spread over the cores.

use std::{num::NonZero, thread};

/// `f` of every item, in order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    chunks(items, |chunk| chunk.iter().map(&f).collect::<Vec<R>>()).into_iter().flatten().collect()
}

/// `f` of consecutive parts of `items`, one part per core, in order.
pub(super) fn chunks<T: Sync, R: Send>(items: &[T], f: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let size = items.len().div_ceil(cores).max(2_048);
    if items.len() <= size {
        return vec![f(items)];
    }
    let f = &f;
    thread::scope(|scope| {
        let workers: Vec<_> = items.chunks(size).map(|chunk| scope.spawn(move || f(chunk))).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, R>| {
            worker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        };
        workers.into_iter().map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let items: Vec<usize> = (0..20_000).collect();
        assert_eq!(map(&items, |i| i * 2), items.iter().map(|i| i * 2).collect::<Vec<_>>());
        assert_eq!(chunks(&[] as &[u8], <[u8]>::len), [0]);
    }
}
