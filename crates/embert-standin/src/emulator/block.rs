//! Runs a block whose threads wait for each other: every thread is a coroutine.

use corosensei::{Coroutine, CoroutineResult};

use super::collective::{Barrier, Collective, Site};
use super::job::{Job, Run};
use super::memory::{Stacks, ThreadStack};
use super::thread::{Block, State, Thread};

/// A thread as a coroutine.
pub(super) type ThreadCoroutine = Coroutine<(), (), (), ThreadStack>;

/// The barriers of a block have numbers below this.
const BARRIERS: usize = 16;

/// The threads at a barrier.
#[derive(Clone, Copy, Default)]
struct Meeting {
    waiting: u32,
    /// How many threads it waits for; 0 means all.
    needed: u32,
    /// How many threads have a true predicate.
    votes: u32,
    is_complete: bool,
}

/// A block while it runs.
pub(super) struct BlockRun<'a> {
    pub(super) name: &'a str,
    pub(super) sites: &'a [Site],
    pub(super) threads: usize,
    /// The first of the block's threads. Kernels write to them while they run, so that there are no references to them.
    slots: *mut Thread,
    coroutines: &'a mut Vec<ThreadCoroutine>,
    /// How many threads have arrived at each barrier without waiting.
    arrived: [u32; BARRIERS],
}

impl<'a> BlockRun<'a> {
    /// Starts the threads of `block`. `slots` has at least as many threads.
    pub(super) fn new(
        job: &'a Job,
        block: *const Block,
        slots: &'a mut [Thread],
        stacks: &'a Stacks,
        coroutines: &'a mut Vec<ThreadCoroutine>,
    ) -> Self {
        let ntid = job.block;
        let threads = ntid.iter().product::<u32>() as usize;
        coroutines.clear();
        let slots = slots[..threads].as_mut_ptr();
        for index in 0..threads {
            // SAFETY: `index` is below `threads`, the length of the slice.
            let thread = unsafe { slots.add(index) };
            // SAFETY: no coroutine uses the thread yet, so that this is the only reference.
            unsafe { (*thread).start(block, index as u32, ntid) };
            coroutines.push(start(thread, job.run, stacks.get(index)));
        }
        Self { name: &job.name, sites: &job.sites, threads, slots, coroutines, arrived: [0; BARRIERS] }
    }

    /// Runs the block to its end.
    pub(super) fn run(mut self) {
        loop {
            for first in (0..self.threads).step_by(32) {
                self.run_warp(first);
            }
            if (0..self.threads).all(|index| self.state(index) == State::Exited) {
                return;
            }
            if !self.release_barriers() {
                self.fail_with_deadlock();
            }
        }
    }

    /// Runs a thread until it waits or exits.
    pub(super) fn resume(&mut self, index: usize) {
        let result = self.coroutines[index].resume(());
        let state = match result {
            CoroutineResult::Return(()) => State::Exited,
            CoroutineResult::Yield(()) => match self.sites[self.site(index)].collective {
                Collective::Barrier(Barrier::Arrive) => {
                    self.arrived[self.barrier(index)] += 1;
                    State::Runs
                }
                Collective::Barrier(_) => State::WaitsForBlock,
                _ => State::WaitsForWarp,
            },
        };
        self.set_state(index, state);
    }

    /// Releases the barriers at which enough threads have arrived. Returns whether there was one.
    fn release_barriers(&mut self) -> bool {
        let mut meetings = [Meeting::default(); BARRIERS];
        let mut live = 0;
        for index in 0..self.threads {
            let state = self.state(index);
            live += u32::from(state != State::Exited);
            if state == State::WaitsForBlock {
                let meeting = &mut meetings[self.barrier(index)];
                meeting.waiting += 1;
                meeting.needed = self.input(index, 1);
                meeting.votes += u32::from(self.input(index, 2) != 0);
            }
        }
        let mut found = false;
        for (barrier, meeting) in meetings.iter_mut().enumerate() {
            let needed = if meeting.needed == 0 { live } else { meeting.needed };
            meeting.is_complete = meeting.waiting > 0 && meeting.waiting + self.arrived[barrier] >= needed;
            if meeting.is_complete {
                self.arrived[barrier] = 0;
                found = true;
            }
        }
        for index in 0..self.threads {
            if self.state(index) == State::WaitsForBlock {
                self.release(index, &meetings[self.barrier(index)]);
            }
        }
        found
    }

    fn release(&mut self, index: usize, meeting: &Meeting) {
        if !meeting.is_complete {
            return;
        }
        let result = match self.sites[self.site(index)].collective {
            Collective::Barrier(Barrier::And) => u32::from(meeting.votes == meeting.waiting),
            Collective::Barrier(Barrier::Or) => u32::from(meeting.votes > 0),
            _ => meeting.votes,
        };
        // SAFETY: the thread waits, and the index is one of this block's threads.
        unsafe { (*self.thread(index)).outputs[0] = result }
        self.set_state(index, State::Runs);
    }

    fn barrier(&self, index: usize) -> usize {
        let barrier = self.input(index, 0) as usize;
        if barrier >= BARRIERS {
            self.fail(&format!("barrier {barrier} does not exist"), self.site(index));
        }
        barrier
    }

    pub(super) fn thread(&self, index: usize) -> *mut Thread {
        assert!(index < self.threads);
        // SAFETY: the index is below the length of the slice that `slots` was made of.
        unsafe { self.slots.add(index) }
    }

    pub(super) fn state(&self, index: usize) -> State {
        // SAFETY: `thread` is one of this block's threads, and kernels do not write to the state.
        unsafe { (*self.thread(index)).state }
    }

    pub(super) fn set_state(&mut self, index: usize, state: State) {
        // SAFETY: as in `state`.
        unsafe { (*self.thread(index)).state = state }
    }

    /// The site at which a thread waits.
    pub(super) fn site(&self, index: usize) -> usize {
        // SAFETY: as in `state`; the thread does not run, so that nothing writes to the site.
        unsafe { (*self.thread(index)).site as usize }
    }

    /// The mask of the collective at which a thread waits.
    pub(super) fn mask(&self, index: usize) -> u32 {
        // SAFETY: as in `site`.
        unsafe { (*self.thread(index)).mask }
    }

    fn input(&self, index: usize, input: usize) -> u32 {
        // SAFETY: as in `site`.
        unsafe { (*self.thread(index)).inputs[input] }
    }

    /// Ends the process with a message.
    pub(super) fn fail(&self, message: &str, site: usize) -> ! {
        let collective = &self.sites[site].collective;
        super::fail(&format!("{}: {message}, at {collective:?}", self.name))
    }

    fn fail_with_deadlock(&self) -> ! {
        let mut text = format!("{}: deadlock:", self.name);
        let mut first = 0;
        for index in 0..self.threads {
            let place = |index| (self.state(index), self.site(index), self.mask(index));
            let is_last = index + 1 == self.threads || place(index + 1) != place(index);
            if !is_last {
                continue;
            }
            let (state, site, mask) = place(index);
            text.push_str(&match state {
                State::Exited => format!("\n  threads {first} to {index} have exited"),
                _ => format!(
                    "\n  threads {first} to {index} wait at {:?}, mask {mask:#x}",
                    self.sites[site].collective
                ),
            });
            first = index + 1;
        }
        super::fail(&text)
    }
}

fn start(thread: *mut Thread, run: Run, stack: ThreadStack) -> ThreadCoroutine {
    Coroutine::with_stack(stack, move |yielder, ()| {
        // SAFETY: `thread` is a slot of a worker, which lives as long as the worker. The yielder is valid until this
        // function returns, and `suspend` uses it only inside of `run`. `run` is the translation of a kernel; that it
        // touches only its own memory is the kernel's promise, as on a GPU.
        unsafe {
            (*thread).yielder = yielder;
            run(thread);
        }
    })
}
