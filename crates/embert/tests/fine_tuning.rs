//! Fine-tuning on examples in memory, and opening the result.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use embert::{Classifier, Dataset, DatasetType, Device, Encoder, Error, Event, Example, FineTuning, Labels};
use embert::{LoraConfig, Pooling, ProblemType, Target, TrainConfig, fine_tune};

/// Creates a directory with embert-model's tiny BERT and the vocabulary of embert-inference's tests.
fn base(folder: &Path) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = crates.join("embert-model/tests/fixtures/tiny_bert");
    let base = folder.join("base");
    std::fs::create_dir(&base).unwrap();
    let vocabulary = crates.join("embert-inference/tests/fixtures/vocab.txt");
    for file in [model.join("config.json"), model.join("model.safetensors"), vocabulary] {
        std::fs::copy(&file, base.join(file.file_name().unwrap())).unwrap();
    }
    base
}

fn examples() -> Dataset {
    let text = |n: usize| [("good great fine", "positive"), ("bad dull", "negative")][n % 2];
    Dataset::from_pairs((0..32).map(text))
}

fn settings() -> FineTuning {
    let train = TrainConfig { learning_rate: 5e-3, num_train_epochs: 4.0, ..TrainConfig::default() };
    FineTuning { train, max_length: Some(16), ..FineTuning::default() }
}

#[test]
fn a_fine_tuned_model_opens_again_with_the_same_logits() {
    let folder = tempfile::tempdir().unwrap();
    let (base, device) = (base(folder.path()), Device::cpu());
    let lora = LoraConfig { r: 4, ..LoraConfig::default() };
    for (name, lora) in [("full", None), ("adapter", Some(lora))] {
        let output = folder.path().join(name);
        let settings = FineTuning { lora, ..settings() };
        let mut steps = 0;
        let trained =
            fine_tune(base.to_str().unwrap(), &examples(), &settings, &output, &device, &mut |event| {
                steps += usize::from(matches!(event, Event::Step(_)));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(steps, 16); // 4 epochs of 32 examples in batches of 8
        let opened = Classifier::open(output.to_str().unwrap(), &device).unwrap();
        assert_eq!(opened.labels, ["negative", "positive"]);
        assert_eq!((opened.limit, opened.batching), (trained.limit, trained.batching));
        let texts = ["good", "bad dull film", ""];
        assert_eq!(opened.logits(&texts).unwrap(), trained.logits(&texts).unwrap());
    }
    let full = folder.path().join("full");
    let labels = Classifier::open(full.to_str().unwrap(), &device).unwrap();
    let labels = labels.classify(&["good great fine", "bad dull"]).unwrap();
    assert_eq!([&labels[0].label, &labels[1].label], ["positive", "negative"]);
    let encoder = Encoder::open(full.to_str().unwrap(), &device).unwrap();
    assert_eq!(encoder.limit.max_length(), 16);
    assert_eq!(encoder.embed(&["good"], Pooling::Mean).unwrap()[0].len(), 32);
}

/// Returns a data set with two texts in turn, each with its target.
fn dataset(labels: [&str; 2], problem_type: DatasetType, targets: [Target; 2], is_pairs: bool) -> Dataset {
    let example = |n: usize| {
        let text_pair = is_pairs.then(|| ["dull", "great"][n / 2 % 2].to_owned());
        Example { text_pair, ..Example::new(["good fine", "bad dull"][n % 2], targets[n % 2].clone()) }
    };
    let labels = Labels::new(labels.map(str::to_owned).to_vec()).unwrap();
    Dataset { examples: (0..32).map(example).collect(), labels, problem_type }
}

#[test]
fn every_problem_type_is_fine_tuned_and_opens_with_the_same_logits() {
    let folder = tempfile::tempdir().unwrap();
    let (base, device) = (base(folder.path()), Device::cpu());
    let single = [Target::Label(1), Target::Label(0)];
    let multi = [Target::Labels(vec![0, 1]), Target::Labels(vec![])];
    let numbers = [Target::Values(vec![0.5, 2.0]), Target::Values(vec![1.5, -1.0])];
    for (name, labels, of_data, of_model, targets, is_pairs) in [
        (
            "pairs",
            ["no", "yes"],
            DatasetType::SingleLabelClassification,
            ProblemType::SingleLabelClassification,
            single,
            true,
        ),
        (
            "multi",
            ["a", "b"],
            DatasetType::MultiLabelClassification,
            ProblemType::MultiLabelClassification,
            multi,
            false,
        ),
        ("numbers", ["x", "y"], DatasetType::Regression, ProblemType::Regression, numbers, false),
    ] {
        let output = folder.path().join(name);
        let rows = dataset(labels, of_data, targets, is_pairs);
        let trained = fine_tune(base.to_str().unwrap(), &rows, &settings(), &output, &device, &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let opened = Classifier::open(output.to_str().unwrap(), &device).unwrap();
        assert_eq!((opened.problem_type, &opened.labels[..]), (of_model, &labels.map(str::to_owned)[..]));
        let texts = ["good", "bad dull film", ""];
        assert_eq!(opened.logits(&texts).unwrap(), trained.logits(&texts).unwrap(), "{name}");
        let pairs = [("good", "dull"), ("", "great")];
        assert_eq!(opened.logits_pairs(&pairs).unwrap(), trained.logits_pairs(&pairs).unwrap(), "{name}");
        let (good, bad) =
            (&opened.logits(&["good fine"]).unwrap()[0], &opened.logits(&["bad dull"]).unwrap()[0]);
        let learned = if of_data == DatasetType::Regression { good[0] < bad[0] } else { good[1] > bad[1] };
        assert!(is_pairs || learned, "{name}: {good:?} {bad:?}");
    }
}

#[test]
fn invalid_data_and_settings_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let (base, output, device) = (base(folder.path()), folder.path().join("run"), Device::cpu());
    let base = base.to_str().unwrap();
    let train = |examples: &Dataset, settings: &FineTuning, answer| {
        fine_tune(base, examples, settings, &output, &device, &mut |_| answer).unwrap_err()
    };
    let proceed = ControlFlow::Continue(());
    let one_label = Dataset::from_pairs([("good", "positive"), ("fine", "positive")]);
    assert!(matches!(train(&one_label, &settings(), proceed), Error::Data(_)));
    let fp16 = TrainConfig { fp16: true, ..TrainConfig::default() };
    let fp16 = FineTuning { train: fp16, ..FineTuning::default() };
    assert!(matches!(train(&examples(), &fp16, proceed), Error::Inference(_)));
    let too_long = FineTuning { max_length: Some(49), ..settings() };
    assert!(matches!(train(&examples(), &too_long, proceed), Error::Text(_)));
    assert!(matches!(
        train(&examples(), &settings(), ControlFlow::Break(())),
        Error::Interrupted { step: 0 }
    ));
    assert!(!output.exists() && !output.with_extension("partial").exists());
}

#[cfg(not(feature = "hub"))] // otherwise it would use the network
#[test]
fn a_missing_model_is_an_error() {
    let (folder, device) = (tempfile::tempdir().unwrap(), Device::cpu());
    let error = Classifier::open("nowhere", &device).unwrap_err();
    assert!(matches!(error, Error::NotADirectory { .. }), "{error}");
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/../embert-model/tests/fixtures/peft/plain");
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        std::fs::copy(Path::new(adapter).join(file), folder.path().join(file)).unwrap();
    }
    let error = Classifier::open(folder.path().to_str().unwrap(), &device).unwrap_err();
    assert!(matches!(error, Error::Base { .. }), "{error}");
}
