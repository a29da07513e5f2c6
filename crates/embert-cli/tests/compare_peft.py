# /// script
# requires-python = ">=3.11"
# dependencies = ["peft==0.21.2", "torch==2.15.0", "transformers==5.23.0"]
# ///
"""Optional check: PEFT and embert give the same logits for one adapter directory.

    uv run crates/embert-cli/tests/compare_peft.py target/release/embert ADAPTER_DIR BASE_DIR ROWS.jsonl [MAX_LENGTH]

ROWS.jsonl has an object with a `text` on each line. The script compares the logits of PEFT, which opens the adapter, with:

- embert with the adapter;
- embert with the model that `embert merge` writes;
- embert with the adapter that PEFT saves again;
- transformers' `from_pretrained` of ADAPTER_DIR, which needs the base model at the path in adapter_config.json. It ignores
  the magnitudes of DoRA (transformers 5.24), so the script does not compare it then.

The script prints the largest difference of each. It fails if one is larger than 1e-4.
"""
import json, subprocess, sys, tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

embert, adapter, base, rows = sys.argv[1:5]
max_length = sys.argv[5] if len(sys.argv) > 5 else "256"
texts = [json.loads(line)["text"] for line in open(rows, encoding="utf-8")]


def predicted(directory, *flags):
    command = [embert, "predict", "--model", directory, "--input", rows, "--text_column_name", "text", "--logits", "--max_seq_length", max_length,
               "--truncation_side", tokenizer.truncation_side, "--bf16", "false", *flags]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return torch.tensor([json.loads(line)["logits"] for line in lines])


config = AutoConfig.from_pretrained(f"{adapter}/model_config.json")
model = AutoModelForSequenceClassification.from_pretrained(base, config=config)
model = PeftModel.from_pretrained(model, adapter).eval()
tokenizer = AutoTokenizer.from_pretrained(adapter)
with torch.no_grad():
    inputs = (tokenizer(text, truncation=True, max_length=int(max_length), return_tensors="pt") for text in texts)
    inputs = list(inputs)
    theirs = torch.cat([model(**each).logits for each in inputs])
    opened = AutoModelForSequenceClassification.from_pretrained(adapter, num_labels=config.num_labels).eval()
    from_transformers = torch.cat([opened(**each).logits for each in inputs])

worst = 0.0
with tempfile.TemporaryDirectory() as folder:
    merged, again = str(Path(folder) / "merged"), str(Path(folder) / "again")
    subprocess.run([embert, "merge", "--model", adapter, "--base", base, "--output", merged], check=True)
    model.save_pretrained(again)
    kinds = {
        "the adapter": predicted(adapter, "--base", base),
        "the merged model": predicted(merged),
        "the adapter that PEFT saved": predicted(again, "--base", base),
        "the adapter that transformers opens": from_transformers,
    }
    if model.peft_config["default"].use_dora:
        del kinds["the adapter that transformers opens"]
    for kind, ours in kinds.items():
        difference = (ours - theirs).abs().max().item()
        worst = max(worst, difference)
        print(f"{kind}: {len(texts)} texts, largest difference of logits {difference:.2e}")
sys.exit(worst > 1e-4)
