#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]

mod acl_imdb;
#[cfg(feature = "parquet")]
mod arrow_ipc;
mod balance;
#[cfg(feature = "parquet")]
mod catch_panics;
mod clean;
mod columns;
mod compression;
mod data_files;
mod dataset;
mod delimited;
mod describe_json;
mod detect_format;
mod error;
#[cfg(feature = "parquet")]
mod features;
mod file_kind;
mod find_column;
mod format;
mod formatting;
mod glue;
mod input;
mod json;
mod json_type;
mod label_encoding;
mod label_map;
mod label_map_file;
mod memory_limit;
mod note;
mod number;
mod options;
mod overlap;
#[cfg(feature = "parquet")]
mod parquet;
mod permutation;
mod problem_type;
mod read;
mod row_estimate;
mod rows;
mod split;
mod synthetic;
mod table;
mod text_lines;
mod undecodable;

pub use balance::{ClassBalance, TargetStatistics, check_evaluation_rows, require_two_classes};
pub use clean::clean;
pub use columns::{ColumnRole, Columns};
pub use data_files::{input_parts, saved_split, splits, would_read};
pub use dataset::{Dataset, Example, Labels, Target};
pub use error::DataError;
pub use glue::GlueTask;
pub use input::TextEncoding;
pub use label_map::LabelMap;
pub use note::{DataNote, LoadedDataset};
pub use options::{CsvQuoting, ReadOptions};
pub use overlap::overlap;
pub use permutation::permutation;
pub use problem_type::ProblemType;
pub use read::{read, read_texts};
pub use row_estimate::estimated_rows;
pub use rows::LoadedTexts;
pub use split::{Split, stratified_split};
pub use synthetic::{Synthetic, synthetic};
pub use table::{Column, Table, TableReader, TableWriter, read_table};
