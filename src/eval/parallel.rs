//! The same work on many items, spread over the cores.

use std::{num::NonZero, thread};

/// `f` of every item, in order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    chunks(items, |chunk| chunk.iter().map(&f).collect::<Vec<R>>()).into_iter().flatten().collect()
}

/// Items that are worked on together. Fixed, so that sums over parts do not depend on the number of cores.
const PART: usize = 16_384;

/// `f` of consecutive parts of `items`, in order.
pub(super) fn chunks<T: Sync, R: Send>(items: &[T], f: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let parts: Vec<&[T]> = items.chunks(PART).collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = parts.len().div_ceil(cores);
    if parts.len() <= 1 {
        return parts.into_iter().map(f).collect();
    }
    let f = &f;
    let work = move |share: &[&[T]]| share.iter().map(|part| f(part)).collect::<Vec<R>>();
    thread::scope(|scope| {
        let workers: Vec<_> = parts.chunks(share).map(|share| scope.spawn(move || work(share))).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<R>>| {
            worker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        };
        workers.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let items: Vec<usize> = (0..200_000).collect();
        assert_eq!(map(&items, |i| i * 2), items.iter().map(|i| i * 2).collect::<Vec<_>>());
        assert_eq!(chunks(&items, <[usize]>::len).iter().sum::<usize>(), items.len());
        assert!(chunks(&[] as &[u8], <[u8]>::len).is_empty());
    }
}
