//! Progress of a download.

/// How far the download of one file is: reported at its start and after every piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubProgress<'a> {
    /// Its name in the repository, such as `model.safetensors`.
    pub file: &'a str,
    /// Bytes on disk so far, including those of an earlier try.
    pub bytes_done: u64,
    /// Bytes of the complete file.
    pub bytes_total: u64,
}

/// Callback for progress. It runs on the thread of the download.
pub(crate) type OnProgress<'a> = dyn FnMut(HubProgress<'_>) + Send + 'a;
