//! Whether a device computes while its caller goes on.

use burn::tensor::Device;

/// Whether an operation returns before it is done, so that reading its result back waits for all that was asked for before:
/// true of every device but Burn's CPU backend.
pub fn is_asynchronous(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return !crate::cpu::is_cpu(device);
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        true
    }
}
