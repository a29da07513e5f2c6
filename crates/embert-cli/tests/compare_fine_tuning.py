# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.24.0", "accelerate", "datasets", "scikit-learn", "sentencepiece", "protobuf"]
# ///
"""Optional measurement: embert and the Trainer fine-tune one model on the same rows with several seeds.

    uv run crates/embert-cli/tests/compare_fine_tuning.py target/release/embert MODEL_DIR TRAIN.jsonl EVAL.jsonl FOLDER [RATE [TOKENS [bf16]]]

The rows have the keys text and label (0 or 1). Both programs train two epochs with batches of 16; order, dropout and new
weights have other random numbers. RATE is the learning rate (5e-5 if it is missing), TOKENS the longest text (128). Matrix
products are fp32, or bf16 in both programs. Prints a line for each seed, then the means and their standard errors. FOLDER
must not exist, or be empty.
"""
import json, pathlib, statistics, subprocess, sys

from datasets import Dataset
from transformers import (AutoModelForSequenceClassification, DataCollatorWithPadding, PreTrainedTokenizerFast, Trainer,
                          TrainingArguments)

embert, base, train_file, eval_file, folder = sys.argv[1], *(pathlib.Path(path).resolve() for path in sys.argv[2:6])
rate, tokens, precision = sys.argv[6:] + ["5e-5", "128", "fp32"][len(sys.argv) - 6:]
bf16 = precision == "bf16"
SEEDS = [1, 2, 3]


def ours(seed):
    out = folder / f"embert-{seed}"
    settings = (f"--learning_rate {rate} --per_device_train_batch_size 16 --num_train_epochs 2 --warmup_ratio 0.1 --seed {seed} "
                f"--max_seq_length {tokens} --do_eval --save_strategy no" + " --bf16" * bf16)
    subprocess.run([embert, "train", "--model", base, "--train_file", train_file, "--validation_file", eval_file,
                    "--output_dir", out, *settings.split()], check=True, capture_output=True)
    results = json.loads((out / "all_results.json").read_text())
    return results["eval_accuracy"], results["train_runtime"]


def encoded(path, tokenizer):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    inputs = tokenizer([row["text"] for row in rows], truncation=True, max_length=int(tokens))
    return Dataset.from_dict(dict(inputs) | {"labels": [row["label"] for row in rows]})


def theirs(seed):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base)  # tokenizer.json as it is, also beside weights of another class
    arguments = TrainingArguments(
        str(folder / f"transformers-{seed}"), learning_rate=float(rate), per_device_train_batch_size=16, num_train_epochs=2,
        warmup_steps=0.1, seed=seed, report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True, bf16=bf16)

    def accuracy(prediction):
        return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}

    trainer = Trainer(
        args=arguments, model_init=lambda: AutoModelForSequenceClassification.from_pretrained(base, num_labels=2),
        train_dataset=encoded(train_file, tokenizer), eval_dataset=encoded(eval_file, tokenizer),
        data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=accuracy)
    seconds = trainer.train().metrics["train_runtime"]
    return trainer.evaluate()["eval_accuracy"], seconds


def summary(values):
    return f"{statistics.mean(values):.4f} (standard error {statistics.stdev(values) / len(values) ** 0.5:.4f})"


folder.mkdir(parents=True, exist_ok=True)
both = []
for seed in SEEDS:
    both.append((ours(seed), theirs(seed)))
    (a, a_seconds), (b, b_seconds) = both[-1]
    print(f"seed {seed}: embert {a:.4f} in {a_seconds:.0f} s, transformers {b:.4f} in {b_seconds:.0f} s", flush=True)
print(f"{base.name}: embert {summary([a for (a, _), _ in both])}, transformers {summary([b for _, (b, _) in both])}")
