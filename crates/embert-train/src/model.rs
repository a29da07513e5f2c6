//! The type of the trained model.

/// The model that a run trains, evaluates and saves.
pub type Model = embert_model::AutoModelForSequenceClassification;
