//! Every operation against finite differences, and in every layout.

mod gradients;
mod layouts;
