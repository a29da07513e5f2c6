//! Tests of model directories, classifiers and encoders.

mod classifier;
mod encoder;
mod fixture;
mod opening;
mod pairs;
