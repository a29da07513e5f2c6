//! Progress of a download.

/// Progress of the download of one file. Reported at the start and after each chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubProgress<'a> {
    /// The file name in the repository, such as `model.safetensors`.
    pub file: &'a str,
    /// Downloaded bytes, including those of an earlier attempt.
    pub bytes_done: u64,
    /// Size of the complete file in bytes.
    pub bytes_total: u64,
}

/// Progress callback. It runs on the thread of the download.
pub(crate) type OnProgress<'a> = dyn FnMut(HubProgress<'_>) + Send + 'a;
