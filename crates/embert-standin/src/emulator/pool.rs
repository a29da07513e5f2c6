//! The threads of the system that run blocks. They are started by the first launch and kept.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};

use super::job::Job;
use super::worker::Worker;

/// The workers; the one who launches is one of them.
struct Pool {
    own: Worker,
    others: Vec<Sender<Arc<Job>>>,
    finished: Receiver<()>,
}

/// Blocks below this number run on the calling thread: waking another one takes longer.
const FEW_BLOCKS: usize = 2;

/// Runs all blocks of `job`. Launches of several host threads run one after the other.
pub(super) fn run(job: Job) {
    static POOL: OnceLock<Mutex<Pool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| Mutex::new(Pool::start(crate::settings::get().threads)));
    let mut pool = pool.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    pool.run(job);
}

impl Pool {
    fn start(threads: usize) -> Self {
        let (done, finished) = channel();
        let others = (1..threads).map(|_| start_worker(done.clone())).collect();
        Self { own: Worker::new(), others, finished }
    }

    fn run(&mut self, mut job: Job) {
        let blocks = job.blocks();
        let helpers = if blocks < FEW_BLOCKS { 0 } else { self.others.len().min(blocks - 1) };
        job.chunk = (blocks / (16 * (helpers + 1))).clamp(1, 64);
        let job = Arc::new(job);
        for other in &self.others[..helpers] {
            other.send(Arc::clone(&job)).expect("a worker waits for jobs until the process ends");
        }
        self.own.work(&job);
        for _ in 0..helpers {
            self.finished.recv().expect("a worker reports the end of each job");
        }
    }
}

fn start_worker(done: Sender<()>) -> Sender<Arc<Job>> {
    let (sender, jobs) = channel::<Arc<Job>>();
    std::thread::spawn(move || {
        let mut worker = Worker::new();
        for job in jobs {
            worker.work(&job);
            drop(job);
            if done.send(()).is_err() {
                return;
            }
        }
    });
    sender
}
