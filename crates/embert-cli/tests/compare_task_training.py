# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.24.0", "accelerate", "datasets", "scikit-learn", "scipy"]
# ///
"""Optional measurement: embert and the Trainer fine-tune one model on the same rows, for each task.

    uv run crates/embert-cli/tests/compare_task_training.py target/release/embert MODEL_DIR FOLDER

Writes synthetic rows to FOLDER, 1,500 to train on and 500 to evaluate on. Both programs train two epochs with the same
settings; order and dropout have other random numbers. Prints a table of metrics and times.
"""
import json, pathlib, subprocess, sys

import numpy as np
from datasets import Dataset
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

embert, base, folder = sys.argv[1], str(pathlib.Path(sys.argv[2]).resolve()), pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
TINY = "--vocab_size 300 --hidden_size 16 --num_hidden_layers 1 --num_attention_heads 2 --intermediate_size 16"
SETTINGS = "--learning_rate 1e-4 --per_device_train_batch_size 16 --num_train_epochs 2 --warmup_ratio 0.1 --seed 1"
TASKS = {  # name: (column flags, metric)
    "pairs": ("--text_pair_column_name text_pair", "eval_accuracy"),
    "multi-label": ("--label_column_name labels", "eval_f1_micro"),
    "regression": ("--problem_type regression", "eval_pearson"),
}
DATA = {"pairs": "synthetic-pairs", "multi-label": "synthetic-topics", "regression": "synthetic-stars"}


def run(arguments):
    return subprocess.run([embert, *arguments.split()], check=True, capture_output=True, text=True, cwd=folder).stdout


def rows(name):
    return [json.loads(line) for line in open(folder / name, encoding="utf-8")]


def peer(task, metric):
    train, evaluation = rows(f"{task}-train.jsonl"), rows(f"{task}-eval.jsonl")
    tokenizer = AutoTokenizer.from_pretrained(base)
    names = sorted({name for row in train for name in (row["labels"] if task == "multi-label" else [row["label"]])})
    number = 1 if task == "regression" else len(names)

    def target(row):
        if task == "regression":
            return float(row["label"])
        if task == "multi-label":
            return [float(name in row["labels"]) for name in names]
        return names.index(row["label"])

    def encoded(some):
        inputs = tokenizer([row["text"] for row in some], [row["text_pair"] for row in some] if task == "pairs" else None,
                           truncation=True, max_length=128)
        return Dataset.from_dict(inputs | {"labels": [target(row) for row in some]})

    def metrics(prediction):
        logits, gold = prediction.predictions, prediction.label_ids
        if task == "regression":
            return {"pearson": pearsonr(logits[:, 0], gold)[0]}
        if task == "multi-label":
            return {"f1_micro": f1_score(gold, logits >= 0, average="micro")}
        return {"accuracy": accuracy_score(gold, np.argmax(logits, -1))}

    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=number, problem_type={
        "pairs": "single_label_classification", "multi-label": "multi_label_classification", "regression": "regression"}[task])
    arguments = TrainingArguments(
        str(folder / f"peer-{task}"), learning_rate=1e-4, per_device_train_batch_size=16, num_train_epochs=2, warmup_steps=0.1,
        seed=1, report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True)
    trainer = Trainer(model, arguments, train_dataset=encoded(train), eval_dataset=encoded(evaluation),
                      data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=metrics)
    seconds = trainer.train().metrics["train_runtime"]
    return trainer.evaluate()[metric], seconds


print("| task | metric | transformers | embert | transformers, s | embert, s |\n|---|---|---|---|---|---|")
for task, (columns, metric) in TASKS.items():
    run(f"train --recipe quickstart-{task} {TINY} --synthetic_reviews 100 --max_steps 1 --output_dir rows-{task}")
    for part, count, seed in [("train", 1500, 1), ("eval", 500, 2)]:
        run(f"evaluate --model rows-{task} --dataset {DATA[task]} --synthetic_reviews {count} --shuffle_seed {seed} "
            f"--output {task}-{part}.jsonl")
    run(f"train --model {base} --train_file {task}-train.jsonl --validation_file {task}-eval.jsonl {columns} {SETTINGS} "
        f"--max_seq_length 128 --do_eval --save_strategy no --overwrite_output_dir --output_dir ours-{task}")
    results = json.loads((folder / f"ours-{task}" / "all_results.json").read_text())
    theirs, seconds = peer(task, metric)
    print(f"| {task} | {metric} | {theirs:.4f} | {results[metric]:.4f} | {seconds:.1f} | {results['train_runtime']:.1f} |", flush=True)
