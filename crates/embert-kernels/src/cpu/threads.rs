//! Tasks shared out among the threads of the pool: whoever is free takes the next one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;

use rayon::prelude::*;

/// Runs tasks `0..tasks`, in this order where one thread does it.
pub(crate) fn for_each(threads: usize, tasks: usize, work: impl Fn(usize) + Sync) {
    in_two_phases(threads, 0, tasks, |_| (), work);
}

/// Runs the tasks of a first phase and then, when all of them are done, those of a second.
pub(crate) fn in_two_phases(
    threads: usize,
    first_tasks: usize,
    second_tasks: usize,
    first: impl Fn(usize) + Sync,
    second: impl Fn(usize) + Sync,
) {
    let (next, first_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let take_all = |_| {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task < first_tasks {
                let _done = Done(&first_done);
                first(task);
            } else if task < first_tasks + second_tasks {
                while first_done.load(Ordering::Acquire) < first_tasks {
                    yield_now(); // another thread is about to finish its task
                }
                second(task - first_tasks);
            } else {
                return;
            }
        }
    };
    match threads.min(first_tasks + second_tasks) {
        0 | 1 => take_all(0),
        threads => (0..threads).into_par_iter().with_max_len(1).for_each(take_all),
    }
}

/// Counts a task as done, also where it panics: the other threads end then, and the panic goes on to the caller.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "task 3")]
    fn a_panic_in_the_first_phase_reaches_the_caller() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let first = |task| assert!(task != 3, "task {task}");
        pool.install(|| in_two_phases(2, 8, 8, first, |_| ()));
    }
}
