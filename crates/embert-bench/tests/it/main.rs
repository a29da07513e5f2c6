//! Integration tests of the program.

mod parity;
