//! Vectors of texts for each family, compared with transformers (`generate_families.py` of embert-model).

use std::fs;
use std::path::{Path, PathBuf};

use embert::{Device, Encoder, Pooling};

const MODELS: [&str; 11] = [
    "tiny_bert",
    "tiny_distilbert",
    "families/roberta",
    "families/xlm-roberta",
    "families/camembert",
    "families/electra",
    "families/albert",
    "families/mpnet",
    "families/deberta-v2",
    "families/modernbert",
    "families/modernbert-cls",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../embert-model/tests/fixtures")
}

/// Returns a directory with the model and a WordPiece vocabulary, in which word `wN` has id N.
fn model_directory(model: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixtures().join(model).join(file), directory.path().join(file)).unwrap();
    }
    let special = if model == "families/mpnet" {
        ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    } else {
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    };
    let words = (5..61).map(|id| format!("w{id}"));
    let vocabulary = special.map(String::from).into_iter().chain(words).collect::<Vec<_>>();
    fs::write(directory.path().join("vocab.txt"), vocabulary.join("\n")).unwrap();
    directory
}

#[test]
fn vectors_of_each_family_equal_those_of_transformers() {
    let file = fs::read_to_string(fixtures().join("families/vectors.toml")).unwrap();
    let expected = file.parse::<toml::Table>().unwrap();
    assert_eq!(expected.len(), MODELS.len());
    let texts = ["w5 w6 w7 w8 w9 w10 w11 ".repeat(5), "w7 w40".into()];
    for model in MODELS {
        let directory = model_directory(model);
        let encoder = Encoder::open(directory.path().to_str().unwrap(), &Device::cpu()).unwrap();
        let name = model.trim_start_matches("families/");
        for (pooling, key) in [(Pooling::Cls, "cls"), (Pooling::Mean, "mean")] {
            let found = encoder.embed(&texts, pooling).unwrap().concat();
            let expected =
                expected[name][key].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
            let expected = expected.map(|value| value.as_float().unwrap() as f32).collect::<Vec<_>>();
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{name}, {key}: {found} is not {expected}");
            }
        }
    }
}
