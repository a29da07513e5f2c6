//! Every operation against finite differences, and in every layout.

mod cpu;
mod gradients;
mod layouts;
