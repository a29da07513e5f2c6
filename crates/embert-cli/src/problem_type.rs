//! The problem types of embert-data and of embert-model, which do not know each other.

use embert_data::ProblemType as OfData;
use embert_model::ProblemType as OfModel;

/// Returns the problem type of a model for data.
pub(crate) fn of_data(problem_type: OfData) -> OfModel {
    match problem_type {
        OfData::SingleLabelClassification => OfModel::SingleLabelClassification,
        OfData::MultiLabelClassification => OfModel::MultiLabelClassification,
        OfData::Regression => OfModel::Regression,
    }
}

/// Returns the problem type of data for a model.
pub(crate) fn of_model(problem_type: OfModel) -> OfData {
    match problem_type {
        OfModel::SingleLabelClassification => OfData::SingleLabelClassification,
        OfModel::MultiLabelClassification => OfData::MultiLabelClassification,
        OfModel::Regression => OfData::Regression,
    }
}
