//! Tests of opening model directories and of what the models in them compute.

mod classifier;
mod encoder;
mod fixture;
mod opening;
