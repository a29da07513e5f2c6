#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod address;
mod cache;
mod client;
mod dataset;
mod download;
mod error;
mod hub;
mod model;
mod progress;
mod repo;
mod settings;
mod snapshot;
mod upload;

pub use error::HubError;
pub use hub::Hub;
pub use progress::HubProgress;
pub use settings::HubSettings;
pub use upload::Upload;
