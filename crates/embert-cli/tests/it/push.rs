//! `embert push` uploads a model to a test hub, and `predict` downloads it.

use std::path::Path;
use std::process::Output;

use crate::server::{TestHub, TestHubState, sha256};
use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, stdout, succeeds};

const TOKEN: &str = "hf_aTokenThatMayWrite";

/// Runs `embert` with this hub and token.
fn online(folder: &Path, hub: &TestHub, token: &str, arguments: &str) -> Output {
    let mut command = crate::command(folder, arguments);
    command
        .env_remove("HF_HUB_OFFLINE")
        .env("HF_HOME", folder.join("hf_home"))
        .env("HF_ENDPOINT", &hub.endpoint)
        .env("HF_TOKEN", token);
    command.output().unwrap()
}

#[test]
fn an_uploaded_run_has_no_checkpoints_and_can_be_downloaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeeds(
        path,
        "train --recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
         --synthetic_reviews 100 --num_train_epochs 1 --save_strategy epoch --output_dir run",
    );
    assert!(
        path.join("run").read_dir().unwrap().any(|entry| entry.unwrap().path().is_dir()),
        "no checkpoint"
    );
    let hub = TestHub::new(TestHubState { token: Some(TOKEN), ..TestHubState::default() });

    let pushed = online(path, &hub, TOKEN, "push --model run --repo owner/name");
    assert!(pushed.status.success(), "{}", stderr(&pushed));
    assert_eq!(stdout(&pushed).lines().last().unwrap(), format!("{}/owner/name", hub.endpoint));
    let files = hub.state().repos["owner/name"].clone();
    for (name, bytes) in files.iter().filter(|(name, _)| *name != "recipe.toml") {
        assert!(std::fs::read(path.join("run").join(name)).unwrap() == *bytes, "{name}");
    }
    let names = files.keys().map(String::as_str).collect::<Vec<_>>();
    for name in ["README.md", "config.json", "model.safetensors", "tokenizer.json"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("optimizer") || name.contains('/')));
    let recipe = String::from_utf8(files["recipe.toml"].clone()).unwrap();
    assert!(recipe.starts_with("[data]\n") && !recipe.contains("[train]"), "{recipe}");
    assert_eq!(hub.state().created, [("owner/name".to_owned(), true)]);
    assert_eq!(hub.state().messages, ["main: Upload model"]);

    let again = online(path, &hub, TOKEN, "predict --model owner/name good");
    assert_eq!(stdout(&again), succeeds(path, "predict --model run good"), "{}", stderr(&again));

    // The Hub stores large files with Xet: the storage gets the bytes, and the commit has their SHA-256.
    let (xet, weights) =
        (TestHubState { has_xet: true, ..TestHubState::default() }, &files["model.safetensors"]);
    let xet = TestHub::new(xet);
    let pushed = online(path, &xet, TOKEN, "push --model run --repo owner/name");
    assert!(pushed.status.success(), "{}", stderr(&pushed));
    assert_eq!(xet.state().repos["owner/name"]["model.safetensors"], sha256(weights).into_bytes());
    assert!(xet.state().stored.iter().map(Vec::len).sum::<usize>() > weights.len() / 2);

    let flags = "--hub_private_repo false --revision dev --commit_message Second";
    let pushed = online(path, &hub, TOKEN, &format!("push --model run --repo other {flags}"));
    assert_eq!(stdout(&pushed).lines().last().unwrap(), format!("{}/somebody/other/tree/dev", hub.endpoint));
    assert_eq!(hub.state().created[1], ("somebody/other".to_owned(), false));
    assert_eq!(hub.state().messages[1], "dev: Second");

    for (token, arguments, words) in [
        ("", "--model run --repo owner/name", "set HF_TOKEN"),
        ("hf_another", "--model run --repo owner/name", "status 401"),
        (TOKEN, "--model run --repo ../name", "owner/name"),
    ] {
        let refused = online(path, &hub, token, &format!("push {arguments}"));
        let message = stderr(&refused);
        assert!(refused.status.code() == Some(1) && message.contains(words), "{arguments}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(fails(path, 1, "push --model run --repo owner/name").contains("HF_HUB_OFFLINE"));
    for model in ["hf_home", "nowhere"] {
        fails(path, 2, &format!("push --model {model} --repo owner/name"));
    }
}

#[test]
fn an_uploaded_model_or_adapter_reads_texts_as_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["apple", "river"], 24);
    let rows =
        (0..6).map(|row| format!("{row};{} stone\n", "apple river ".repeat(5 * row))).collect::<String>();
    std::fs::write(path.join("long.csv"), rows).unwrap();
    let hub = TestHub::new(TestHubState { token: Some(TOKEN), ..TestHubState::default() });
    let online = |arguments: &str| {
        let output = online(path, &hub, TOKEN, arguments);
        assert!(output.status.success(), "{arguments}: {}", stderr(&output));
        stdout(&output)
    };
    let reading = "--max_seq_length 12 --truncation_side left --clean";
    online(&format!("train {SHAPE} --dataset rows.csv {reading} --max_steps 2 --output_dir base"));
    online("push --model base --repo owner/base");
    let reading = "--max_seq_length 20";
    let lora = "--lora_r 4 --lora_target_modules query,value --learning_rate 1e-2";
    online(&format!(
        "train --model owner/base --dataset rows.csv {reading} {lora} --max_steps 2 --output_dir adapter"
    ));
    online("push --model adapter --repo owner/adapter");

    let elsewhere = "--input long.csv --csv_separator ; --csv_column_names id,text --logits";
    for (local, uploaded) in [("base", "owner/base"), ("adapter", "owner/adapter")] {
        let [local, uploaded] =
            [local, uploaded].map(|model| online(&format!("predict --model {model} {elsewhere}")));
        assert_eq!(local.lines().count(), 6);
        assert_eq!(local, uploaded);
    }
    let config =
        String::from_utf8(hub.state().repos["owner/adapter"]["adapter_config.json"].clone()).unwrap();
    assert!(config.contains("\"base_model_name_or_path\": \"owner/base\""), "{config}");
    assert!(!hub.state().repos["owner/adapter"].contains_key("model.safetensors"));
    online(&format!(
        "train --model owner/base --adapter owner/adapter --dataset rows.csv {reading} --max_steps 1 --output_dir further"
    ));
}
