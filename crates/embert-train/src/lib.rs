//! Fine-tuning, evaluation and prediction of embert's encoders.
