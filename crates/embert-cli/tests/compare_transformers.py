# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.23.0"]
# ///
"""Optional check: transformers and embert give the same logits for one model directory.

    uv run crates/embert-cli/tests/compare_transformers.py target/release/embert MODEL_DIR ROWS.jsonl [MAX_LENGTH]

ROWS.jsonl has an object with a `text` on each line. Both programs open the model and the tokenizer in MODEL_DIR. The script
prints the largest difference of the logits and the number of equal labels. It fails if a difference is larger than 1e-4 or
a label differs.
"""
import json, subprocess, sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

embert, directory, rows = sys.argv[1:4]
max_length = int(sys.argv[4]) if len(sys.argv) > 4 else 256
texts = [json.loads(line)["text"] for line in open(rows, encoding="utf-8")]

command = [embert, "predict", "--model", directory, "--input", rows, "--text_column_name", "text", "--logits"]
command += ["--max_seq_length", str(max_length)]
lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
ours = torch.tensor([json.loads(line)["logits"] for line in lines])

tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
with torch.no_grad():
    inputs = (tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt") for text in texts)
    theirs = torch.cat([model(**each).logits for each in inputs])

labels = [json.loads(line)["label"] for line in lines]
same = sum(model.config.id2label[int(i)] == label for i, label in zip(theirs.argmax(-1), labels))
difference = (ours - theirs).abs().max().item()
print(f"{len(texts)} texts: largest difference of logits {difference:.2e}, {same} labels agree")
sys.exit(difference > 1e-4 or same != len(texts))
