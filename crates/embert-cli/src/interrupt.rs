//! Handles Ctrl-C and SIGTERM. The first signal stops a run after the current step; the second one exits at once.
//! Ignores SIGXFSZ.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Makes a write beyond the maximum file size (`ulimit -f`) an error, like a full disk. Without it, the signal SIGXFSZ
/// ends the process. Python ignores this signal, too.
pub(crate) fn outlive_file_size_limit() {
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default()); // without a handler, only the message is lost
}

/// The signal that was received.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Installs the signal handlers.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 128 + signal, again.clone())?;
            flag::register(signal, again.clone())?;
            flag::register_usize(signal, interrupt.signal.clone(), signal as usize)?;
        }
        Ok(interrupt)
    }

    /// Returns the number of the received signal.
    pub(crate) fn signal(&self) -> Option<usize> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    /// Returns `Break` after a signal.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        match self.signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }
}
