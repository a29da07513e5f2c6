//! The machine's processor and memory.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Returns the name of the processor and its number of cores.
#[cfg_attr(not(feature = "cpu"), expect(dead_code, reason = "only the backend `cpu` asks"))]
pub(crate) fn processor() -> String {
    let name = system::processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match std::thread::available_parallelism() {
        Ok(cores) => format!("{name}, {cores} cores"),
        Err(_) => name,
    }
}

/// Memory of the process and of the machine, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MachineMemory {
    /// Resident memory of the process.
    pub(crate) resident: u64,
    /// Physical memory that the process can still allocate.
    pub(crate) room: u64,
    /// Free swap space.
    pub(crate) swap: u64,
}

impl MachineMemory {
    /// Returns the current state; `None` if the system does not report it.
    pub(crate) fn now() -> Option<Self> {
        system::now()
    }

    /// Returns the sum of resident and free memory.
    pub(crate) fn available(self) -> u64 {
        self.resident + self.room
    }

    /// Returns the sum of resident memory, free memory and swap.
    pub(crate) fn with_swap(self) -> u64 {
        self.available().saturating_add(self.swap)
    }
}

/// Returns freed memory of the allocator to the system, so that it does not count as resident.
pub(crate) fn release_freed_memory() {
    #[cfg(feature = "cpu")]
    embert_kernels::release_freed_memory();
}

/// Runs `work` and returns the peak resident memory in bytes, sampled each millisecond.
///
/// Returns `None` if the system does not report it.
pub(crate) fn peak_while(work: impl FnOnce()) -> Option<u64> {
    let (working, done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let sampler = thread::Builder::new().spawn_scoped(scope, move || {
            let mut peak = system::resident();
            while done.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
                peak = peak.max(system::resident());
            }
            peak.max(system::resident())
        });
        work();
        drop(working);
        sampler.ok()?.join().ok()?
    })
}

/// Linux: the smallest of free memory, control groups and address space is the limit.
#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::MachineMemory;

    pub(super) fn now() -> Option<MachineMemory> {
        let (status, machine) = (read("/proc/self/status")?, read("/proc/meminfo")?);
        let of_machine = kibibytes(&machine, "MemAvailable:")?;
        let of_groups = groups(&read("/proc/self/cgroup")?).into_iter().filter_map(|group| group.room());
        let taken = kibibytes(&status, "VmSize:")?;
        let of_address_space =
            address_space(&read("/proc/self/limits")?).map_or(u64::MAX, |limit| limit.saturating_sub(taken));
        let of_memory = of_groups.fold(of_machine, u64::min);
        let room = of_memory.min(of_address_space);
        let swap = kibibytes(&machine, "SwapFree:")?.min(of_address_space - room);
        Some(MachineMemory { resident: kibibytes(&status, "VmRSS:")?, room, swap })
    }

    pub(super) fn resident() -> Option<u64> {
        kibibytes(&read("/proc/self/status")?, "VmRSS:")
    }

    /// Some architectures have no name in /proc/cpuinfo.
    pub(super) fn processor() -> Option<String> {
        let table = read("/proc/cpuinfo")?;
        let line = table.lines().find_map(|line| line.strip_prefix("model name"))?;
        Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
    }

    /// The folder and file names of a control group.
    #[derive(Debug, PartialEq)]
    struct Group {
        folder: PathBuf,
        files: &'static Files,
    }

    #[derive(Debug, PartialEq)]
    struct Files {
        root: &'static str,
        limit: &'static str,
        usage: &'static str,
        /// The line of `memory.stat` with the page cache, which the kernel can reclaim.
        pages_of_files: &'static str,
    }

    const VERSION_2: Files = Files {
        root: "/sys/fs/cgroup",
        limit: "memory.max",
        usage: "memory.current",
        pages_of_files: "file",
    };
    const VERSION_1: Files = Files {
        root: "/sys/fs/cgroup/memory",
        limit: "memory.limit_in_bytes",
        usage: "memory.usage_in_bytes",
        pages_of_files: "total_cache",
    };

    /// Returns the groups of `/proc/self/cgroup` and their parents. A container may not see all of them.
    fn groups(cgroup: &str) -> Vec<Group> {
        cgroup.lines().filter_map(groups_of_line).flatten().collect()
    }

    fn groups_of_line(line: &str) -> Option<Vec<Group>> {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let files = match controllers {
            "" => &VERSION_2,
            some if some.split(',').any(|name| name == "memory") => &VERSION_1,
            _ => return None,
        };
        let folders = Path::new(path.trim_start_matches('/')).ancestors();
        Some(folders.map(|folder| Group { folder: Path::new(files.root).join(folder), files }).collect())
    }

    impl Group {
        /// Returns the bytes below the limit that are not in use; `None` without a limit.
        fn room(&self) -> Option<u64> {
            let read = |name: &str| fs::read_to_string(self.folder.join(name)).ok();
            let number = |name| read(name)?.trim().parse::<u64>().ok(); // or "max"
            let (limit, usage) = (number(self.files.limit)?, number(self.files.usage)?);
            let kept = read("memory.stat").and_then(|stat| value(&stat, self.files.pages_of_files));
            Some(limit.saturating_sub(usage.saturating_sub(kept.unwrap_or(0))))
        }
    }

    fn read(path: &str) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    /// Returns the first number after a line's name.
    fn value(table: &str, name: &str) -> Option<u64> {
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn kibibytes(table: &str, name: &str) -> Option<u64> {
        Some(value(table, name)? * 1024)
    }

    /// Returns `ulimit -v` in bytes.
    fn address_space(limits: &str) -> Option<u64> {
        let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        line.split_whitespace().next()?.parse().ok() // or "unlimited"
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_limit_of_the_address_space_is_read_in_bytes() {
            let limits =
                |soft: &str| format!("Max cpu time  1  2  s\nMax address space  {soft}  unlimited  bytes\n");
            assert_eq!(address_space(&limits("4294967296")), Some(1 << 32));
            assert_eq!(address_space(&limits("unlimited")), None);
        }

        #[test]
        fn groups_of_both_versions_are_found_up_to_the_root() {
            let folders = |text| groups(text).into_iter().map(|group| group.folder).collect::<Vec<_>>();
            let of_1 = ["/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory/"];
            assert_eq!(folders("5:devices:/\n4:cpu,memory:/a/b\n"), of_1.map(PathBuf::from));
            assert_eq!(folders("0::/a\n"), ["/sys/fs/cgroup/a", "/sys/fs/cgroup/"].map(PathBuf::from));
        }

        #[test]
        fn the_page_cache_of_a_group_counts_as_free() {
            let folder = tempfile::tempdir().unwrap();
            let group = Group { folder: folder.path().to_owned(), files: &VERSION_2 };
            assert_eq!(group.room(), None);
            let write = |name, text| fs::write(folder.path().join(name), text).unwrap();
            write("memory.current", "700\n");
            write("memory.max", "max\n");
            assert_eq!(group.room(), None);
            write("memory.max", "1000\n");
            assert_eq!(group.room(), Some(300));
            write("memory.stat", "anon 500\nfile 150\n");
            assert_eq!(group.room(), Some(450));
        }

        #[test]
        fn this_process_has_resident_and_free_memory() {
            let memory = MachineMemory::now().expect("Linux reports memory");
            assert!(memory.resident > 1 << 20 && memory.room > 1 << 20, "{memory:?}");
        }

        #[test]
        fn a_peak_includes_memory_that_was_freed() {
            // On a stack, because other tests count allocations.
            let hold = || {
                std::hint::black_box([1_u8; 32 << 20]);
                std::thread::sleep(std::time::Duration::from_millis(50));
            };
            let thread =
                || std::thread::Builder::new().stack_size(128 << 20).spawn(hold).unwrap().join().unwrap();
            let (before, peak) = (resident().unwrap(), super::super::peak_while(thread).unwrap());
            assert!(peak >= before + (16 << 20), "{peak} after {before}");
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use sysinfo::{CpuRefreshKind, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

    use super::MachineMemory;

    pub(super) fn processor() -> Option<String> {
        let mut system = System::new();
        system.refresh_cpu_specifics(CpuRefreshKind::nothing());
        Some(system.cpus().first()?.brand().trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// Swap files grow on demand.
    pub(super) fn now() -> Option<MachineMemory> {
        let mut system = System::new();
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let room = system.available_memory();
        Some(MachineMemory { resident: resident()?, room, swap: u64::MAX })
    }

    pub(super) fn resident() -> Option<u64> {
        let mut system = System::new();
        let id = sysinfo::get_current_pid().ok()?;
        let kind = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, kind);
        Some(system.process(id)?.memory())
    }
}
