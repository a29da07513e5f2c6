//! The fused tensor operations of a BERT encoder on Burn.
