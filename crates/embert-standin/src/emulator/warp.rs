//! Runs the threads of a warp until all have exited or wait for other warps.

use super::block::BlockRun;
use super::collective::Collective;
use super::compute::compute;
use super::lanes::Lanes;
use super::thread::State;

/// The lanes of a warp in each state, as masks.
struct Lists {
    /// Lanes that wait for their warp.
    waiting: u32,
    /// Lanes that have not exited.
    live: u32,
    /// All lanes that wait do so at the same site with the same mask.
    is_uniform: bool,
}

impl BlockRun<'_> {
    /// Runs the threads from `first` on, at most 32, as far as they can go.
    pub(super) fn run_warp(&mut self, first: usize) {
        let count = (self.threads - first).min(32);
        loop {
            for index in first..first + count {
                while self.state(index) == State::Runs {
                    self.resume(index);
                }
            }
            let lists = self.lists(first, count);
            let goes_on = lists.waiting != 0
                && (self.meet_all(first, &lists)
                    || self.meet_by_mask(first, &lists)
                    || self.meet_converged(first, &lists));
            if !goes_on {
                return;
            }
        }
    }

    fn lists(&self, first: usize, count: usize) -> Lists {
        let mut lists = Lists { waiting: 0, live: 0, is_uniform: true };
        let mut place = None;
        for lane in 0..count {
            let state = self.state(first + lane);
            lists.live |= u32::from(state != State::Exited) << lane;
            if state == State::WaitsForWarp {
                lists.waiting |= 1 << lane;
                let own = (self.site(first + lane), self.mask(first + lane));
                lists.is_uniform &= *place.get_or_insert(own) == own;
            }
        }
        lists
    }

    /// Computes the collective at which all lanes wait. This is the usual case. Returns whether it is the case.
    fn meet_all(&mut self, first: usize, lists: &Lists) -> bool {
        let lane = lists.waiting.trailing_zeros() as usize;
        let (site, mask) = (self.site(first + lane), self.mask(first + lane));
        let is_met = self.sites[site].is_converged || lists.waiting == mask & lists.live;
        if lists.is_uniform && is_met {
            self.compute(first, site, lists.waiting, lists);
        }
        lists.is_uniform && is_met
    }

    /// Computes the collectives whose member mask has arrived. Returns whether there was one.
    fn meet_by_mask(&mut self, first: usize, lists: &Lists) -> bool {
        let mut pending = lists.waiting;
        let mut found = false;
        while pending != 0 {
            let lane = pending.trailing_zeros() as usize;
            let site = self.site(first + lane);
            let mask = self.mask(first + lane);
            let group = self.group(first, pending, |block, other| {
                block.mask(other) == mask && block.meets(block.site(other), site)
            });
            pending &= !group;
            if self.sites[site].is_converged {
                continue;
            }
            if group & !mask != 0 {
                let outside = (group & !mask).trailing_zeros();
                self.fail(&format!("lane {outside} is not in its own mask {mask:#x}"), site);
            }
            if group == mask & lists.live {
                self.compute(first, site, group, lists);
                found = true;
            }
        }
        found
    }

    /// Lanes may meet at different places in the code, except at instructions of the whole warp.
    fn meets(&self, one: usize, other: usize) -> bool {
        let (a, b) = (&self.sites[one], &self.sites[other]);
        one == other || (a == b && !a.is_converged && !a.collective.needs_whole_warp())
    }

    /// Computes the converged collective that comes first in the code, for all lanes that wait there. A join waits for
    /// the lanes that are between its branches and itself.
    fn meet_converged(&mut self, first: usize, lists: &Lists) -> bool {
        let lanes = || (0..32).filter(|lane| lists.waiting >> lane & 1 == 1);
        let sites = || lanes().map(|lane| self.site(first + lane));
        let converged = || sites().filter(|site| self.sites[*site].is_converged);
        let is_ready = |site: &usize| !sites().any(|other| self.sites[*site].region.contains(&other));
        let Some(site) = converged().filter(is_ready).min().or_else(|| converged().min()) else {
            return false;
        };
        let group = self.group(first, lists.waiting, |block, other| block.site(other) == site);
        self.compute(first, site, group, lists);
        true
    }

    /// The lanes of `among` that satisfy `belongs`.
    fn group(&self, first: usize, among: u32, belongs: impl Fn(&Self, usize) -> bool) -> u32 {
        (0..32)
            .filter(|lane| among >> lane & 1 == 1 && belongs(self, first + lane))
            .map(|lane| 1 << lane)
            .sum()
    }

    fn compute(&mut self, first: usize, site: usize, group: u32, lists: &Lists) {
        let collective: &Collective = &self.sites[site].collective;
        if collective.needs_whole_warp() && group != u32::MAX {
            self.check_partial_warp(first, site, lists);
        }
        // SAFETY: the lanes of the group are threads of this block that wait, and only this thread of the system uses
        // them.
        let mut lanes = unsafe { Lanes::new(self.thread(first), group) };
        compute(collective, &mut lanes);
        lanes.iter().for_each(|lane| self.set_state(first + lane, State::Runs));
    }

    /// An instruction of the whole warp may run with fewer lanes only if the block has no more. CubeCL does so to
    /// measure a device.
    fn check_partial_warp(&self, first: usize, site: usize, lists: &Lists) {
        let existing = (self.threads - first).min(32);
        if lists.live.count_ones() as usize != existing {
            self.fail("lanes have exited before an instruction of the whole warp", site);
        }
    }
}
