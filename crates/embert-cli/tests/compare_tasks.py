# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.24.0", "scikit-learn", "scipy"]
# ///
"""Optional check: sentence pairs, several labels per text and regression equal transformers and scikit-learn.

    uv run crates/embert-cli/tests/compare_tasks.py target/release/embert FOLDER

For each task, embert trains a tiny model in FOLDER, evaluates it, and predicts its evaluation rows. transformers opens the
model. The script fails if logits or losses differ by more than 1e-4, or a metric by more than 1e-6.
"""
import json, math, pathlib, subprocess, sys

import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, hamming_loss, matthews_corrcoef
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, roc_auc_score
from transformers import AutoModelForSequenceClassification, AutoTokenizer

embert, folder = sys.argv[1], pathlib.Path(sys.argv[2])
SMALL = "--vocab_size 300 --hidden_size 64 --num_hidden_layers 2 --intermediate_size 64 --synthetic_reviews 800"


def run(arguments):
    return subprocess.run([embert, *arguments.split()], check=True, capture_output=True, text=True, cwd=folder).stdout


def single_label(gold, model, logits):
    predicted = logits.argmax(-1).tolist()
    gold = [model.config.label2id[row["label"]] for row in gold]
    return torch.tensor(gold), {
        "eval_accuracy": accuracy_score(gold, predicted),
        "eval_f1": f1_score(gold, predicted),
        "eval_matthews_correlation": matthews_corrcoef(gold, predicted),
        "eval_roc_auc": roc_auc_score(gold, logits[:, 1] - logits[:, 0]),
    }


def multi_label(gold, model, logits):
    names = [model.config.id2label[i] for i in range(logits.shape[1])]
    gold = torch.tensor([[float(name in row["labels"]) for name in names] for row in gold])
    scores = logits.sigmoid()
    predicted = scores >= torch.tensor(model.config.thresholds)
    metrics = {f"eval_f1_{mean}": f1_score(gold, predicted, average=mean, zero_division=0)
               for mean in ["micro", "macro", "samples", "weighted"]}
    return gold, metrics | {
        "eval_subset_accuracy": accuracy_score(gold, predicted),
        "eval_hamming_loss": hamming_loss(gold, predicted),
        "eval_roc_auc": roc_auc_score(gold, scores, average="macro"),
        "eval_average_precision": average_precision_score(gold, scores, average="macro"),
    }


def regression(gold, model, logits):
    gold = torch.tensor([row["label"] for row in gold])
    predicted = logits[:, 0]
    return gold, {
        "eval_mse": mean_squared_error(gold, predicted),
        "eval_mae": mean_absolute_error(gold, predicted),
        "eval_r2": r2_score(gold, predicted),
        "eval_pearson": pearsonr(gold, predicted)[0],
        "eval_spearman": spearmanr(gold, predicted)[0],
    }


failed = False
for task, metrics_of in [("pairs", single_label), ("multi-label", multi_label), ("regression", regression)]:
    run(f"train --recipe quickstart-{task} {SMALL} --num_train_epochs 2 --output_dir {task}")
    printed = run(f"evaluate --model {task} --output {task}.jsonl")
    ours = json.loads(printed.splitlines()[-1])
    rows = [json.loads(line) for line in open(folder / f"{task}.jsonl", encoding="utf-8")]
    lines = run(f"predict --model {task} --input {task}.jsonl --logits").splitlines()
    our_logits = torch.tensor([json.loads(line)["logits"] for line in lines])
    model = AutoModelForSequenceClassification.from_pretrained(folder / task).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / task)
    max_length = 128 if task == "pairs" else 96
    with torch.no_grad():
        logits = torch.cat([
            model(**tokenizer(row["text"], row.get("text_pair"), truncation=True, max_length=max_length, return_tensors="pt")).logits
            for row in rows
        ])
    gold, metrics = metrics_of(rows, model, our_logits)
    with torch.no_grad():
        loss = {
            "single_label_classification": lambda: torch.nn.functional.cross_entropy(logits, gold),
            "multi_label_classification": lambda: torch.nn.functional.binary_cross_entropy_with_logits(logits, gold),
            "regression": lambda: torch.nn.functional.mse_loss(logits.squeeze(), gold),
        }[model.config.problem_type]().item()
    difference = (our_logits - logits).abs().max().item()
    worst = max((abs(ours[name] - value), name) for name, value in metrics.items())
    print(f"{task}: {len(rows)} rows, largest difference of logits {difference:.1e}, of the loss "
          f"{abs(ours['eval_loss'] - loss):.1e}, of {len(metrics)} metrics {worst[0]:.1e} ({worst[1]})")
    failed |= difference > 1e-4 or abs(ours["eval_loss"] - loss) > 1e-4 or worst[0] > 1e-6 or math.isnan(worst[0])
sys.exit(failed)
