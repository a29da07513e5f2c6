//! Every operation against finite differences, in every layout, and on the CPU against its reference.

mod attention;
mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod gradients;
mod half;
mod layouts;
mod truth;
