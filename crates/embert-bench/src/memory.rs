//! The peak memory of this process: VmHWM on Linux.

use std::fs;

pub(crate) fn peak_bytes() -> Option<u64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

fn parse(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_in_bytes() {
        let status = "VmPeak:\t  99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 9 kB\n";
        assert_eq!(parse(status, "VmHWM:"), Some(1234 * 1024));
        assert_eq!(parse(status, "VmRSS:"), Some(9 * 1024));
        assert_eq!(parse("VmRSS:\t 9 kB\n", "VmHWM:"), None);
    }
}
