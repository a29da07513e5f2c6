//! Hostile model.safetensors.index.json files: it may only name files in its own directory.

use std::fs;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced};
use serde_json::{Value, json};

use crate::{fixture, folder_of, load_and_run};

#[test]
fn an_index_names_only_files_in_its_directory() {
    let files = fs::read_dir(fixture("tiny_bert_sharded")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
    let folder = folder_of("tiny_bert_sharded", &files.iter().map(String::as_str).collect::<Vec<_>>());
    let path = folder.path().join("model.safetensors.index.json");
    let good = fs::read(&path).unwrap();
    let index: Value = serde_json::from_slice(&good).unwrap();
    let shard =
        index["weight_map"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
    fs::copy(folder.path().join(&shard), folder.path().join("copy.safetensors")).unwrap();
    let secret = folder.path().join(&shard);

    let mut target = FuzzTarget::new(path, load_and_run);
    target.file("undamaged", &good).unwrap();
    for path_in_index in
        ["../../etc/passwd", "/etc/passwd", "a/b.safetensors", "..", ".", "", "./x", secret.to_str().unwrap()]
    {
        let error = target.refused(path_in_index, json!({"weight_map": {"a": path_in_index}}).to_string());
        assert!(error.contains("not a file in the directory of the index"), "{path_in_index}: {error}");
    }
    let mut map = index.clone();
    map["weight_map"]["another"] = json!("copy.safetensors");
    let error = target.refused("one tensor in two shards", map.to_string());
    assert!(error.contains(" is also in "), "{error}");
    map["weight_map"]["another"] = json!("missing.safetensors");
    let error = target.refused("a missing shard", map.to_string());
    assert!(error.contains("missing.safetensors: No such file"), "{error}");
    map["weight_map"]["another"] = json!("a\0b");
    target.refused("a name with a NUL", map.to_string());
    for wrong in
        ["", "[]", "{}", "{\"weight_map\": []}", "{\"weight_map\": {\"a\": 7}}", "{\"weight_map\": {}}"]
    {
        target.refused(wrong, wrong);
    }
    let wrong = dropped_or_replaced(&index, 500, 6).into_iter();
    target.mutations(wrong.map(|(what, index)| (what, index.to_string())));
    target.mutations(damaged(&good, 300, 7));
    println!("{}", target.finish(15, 800));
}
