//! The real IMDb dataset. The test is skipped if the dataset is absent.

use std::path::Path;

use embert_data::{ReadOptions, read};

#[test]
fn imdb_is_read_completely_and_sampled_as_by_datasets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/imdb/plain_text");
    if !path.is_dir() {
        eprintln!("SKIPPED: no real IMDb in {}", path.display());
        return;
    }
    for split in ["train", "test"] {
        let dataset = read(&path, split, &ReadOptions::default(), None).unwrap().dataset;
        assert_eq!(dataset.labels.names(), ["neg", "pos"]);
        assert_eq!(dataset.class_counts(), [12_500, 12_500]);
        assert_eq!(dataset.sample(1000, 42).class_counts(), [512, 488]);
    }
    let unlabelled = read(&path, "unsupervised", &ReadOptions::default(), None).unwrap_err();
    assert!(unlabelled.to_string().contains("row 1 has no label"), "{unlabelled}");
}
