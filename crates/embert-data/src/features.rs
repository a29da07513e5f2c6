//! The label names that `datasets` stores in files: `info.features.{column}.names` under the key `huggingface`.

use std::path::Path;

use serde_json::Value;

use crate::table::LabelNames;

/// The key of the metadata of a parquet or arrow file.
pub(crate) const METADATA_KEY: &str = "huggingface";

/// Returns the label names in the metadata of a file, by column.
pub(crate) fn of_metadata(json: Option<&str>) -> LabelNames {
    let json = json.and_then(|json| serde_json::from_str::<Value>(json).ok()).unwrap_or_default();
    of_features(&json["info"]["features"])
}

/// Returns the label names in the `dataset_info.json` next to a file, by column.
pub(crate) fn next_to(path: &Path) -> LabelNames {
    let path = path.with_file_name("dataset_info.json");
    let info = if path.is_file() { std::fs::read(path).ok() } else { None };
    let json = info.and_then(|info| serde_json::from_slice::<Value>(&info).ok()).unwrap_or_default();
    of_features(&json["features"])
}

/// Returns the names of the features with labels. Those of a list of labels are one level down, under `feature`.
fn of_features(features: &Value) -> LabelNames {
    let names = |feature: &Value| {
        let names = feature["names"].as_array().or_else(|| feature["feature"]["names"].as_array())?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    let features = features.as_object().into_iter().flatten();
    features.filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_labels_and_of_lists_of_labels_are_found() {
        let json = r#"{"info": {"features": {
            "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
            "tags": {"feature": {"names": ["a"], "_type": "ClassLabel"}, "_type": "Sequence"},
            "text": {"dtype": "string", "_type": "Value"}}}}"#;
        let mut found = of_metadata(Some(json));
        found.sort();
        let expected = [("label", vec!["neg", "pos"]), ("tags", vec!["a"])];
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found, expected.map(|(column, names)| (column.to_owned(), owned(names))));
        for json in
            [None, Some("{"), Some("{}"), Some(r#"{"info": {"features": {"label": {"names": [1]}}}}"#)]
        {
            assert_eq!(of_metadata(json), vec![], "{json:?}");
        }
    }
}
