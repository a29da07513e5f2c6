//! Dynamic scheduling of tasks on rayon's threads: an idle thread takes the next task.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;

use rayon::prelude::*;

/// Runs tasks `0..tasks` on up to `threads` threads. A single thread runs them in order.
pub(crate) fn for_each(threads: usize, tasks: usize, work: impl Fn(usize) + Sync) {
    in_two_phases(threads, 0, tasks, |_| (), work);
}

/// Runs `first_tasks` tasks and then `second_tasks` tasks. The second phase starts when the first is
/// complete.
pub(crate) fn in_two_phases(
    threads: usize,
    first_tasks: usize,
    second_tasks: usize,
    first: impl Fn(usize) + Sync,
    second: impl Fn(usize) + Sync,
) {
    let (next, first_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run_tasks = |_| {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task < first_tasks {
                let _done = CountOnDrop(&first_done);
                first(task);
            } else if task < first_tasks + second_tasks {
                while first_done.load(Ordering::Acquire) < first_tasks {
                    yield_now(); // another thread still runs a task of the first phase
                }
                second(task - first_tasks);
            } else {
                return;
            }
        }
    };
    match threads.min(first_tasks + second_tasks) {
        0 | 1 => run_tasks(0),
        threads => (0..threads).into_par_iter().with_max_len(1).for_each(run_tasks),
    }
}

/// Counts a task as done when it is dropped, also after a panic. So the other threads finish, and the panic
/// reaches the caller.
struct CountOnDrop<'a>(&'a AtomicUsize);

impl Drop for CountOnDrop<'_> {
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
