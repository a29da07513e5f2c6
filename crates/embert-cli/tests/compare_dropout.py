# /// script
# requires-python = ">=3.11"
# dependencies = ["peft==0.21.2", "torch==2.15.0", "transformers==5.23.0"]
# ///
"""Optional check: with dropout, losses and gradients have the same mean and deviation in embert and in PyTorch.

    uv run crates/embert-cli/tests/compare_dropout.py target/release/embert MODEL_DIR ROWS.jsonl [TARGETS]

ROWS.jsonl has eight lines, each an object with `text` and `label` (0 or 1). embert first trains on them for 20 steps, so
that no adapter is zero. Then both programs compute the loss and the gradient norm of one batch of all eight rows. They do
this 400 times with the same weights and different dropout masks.

The script prints the mean and the standard deviation of both values. It fails if the means are more than four standard
errors apart, or if one deviation is more than a third larger than the other. With TARGETS, such as query,value, both
programs train adapters of rank 8 on these modules.
"""
import json, math, statistics, subprocess, sys, tempfile

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

DRAWS, MAX_LENGTH = 400, 128

embert, directory, file = sys.argv[1:4]
targets = sys.argv[4] if len(sys.argv) > 4 else None
lora = dict(lora_target_modules=targets, lora_r=8, lora_alpha=16, lora_dropout=0.1) if targets else {}
rows = [json.loads(line) for line in open(file, encoding="utf-8")]
assert len(rows) == 8
work = tempfile.mkdtemp()


def run(name, **settings):
    settings |= dict(
        train_file=file, test_file=file, output_dir=f"{work}/{name}", per_device_train_batch_size=8,
        max_seq_length=MAX_LENGTH, logging_steps=1, eval_strategy="no", save_strategy="no")
    flags = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    subprocess.run([embert, "train", *flags], check=True, capture_output=True)
    return f"{work}/{name}"


start = run("start", model=directory, max_steps=20, learning_rate=2e-3 if targets else 2e-5, **lora)
start_from = dict(model=directory, adapter=start) if targets else dict(model=start)
frozen = run("frozen", num_train_epochs=DRAWS, learning_rate=0, **start_from)
log = [json.loads(line) for line in open(f"{frozen}/metrics.jsonl", encoding="utf-8")]
ours = [(line["loss"], line["grad_norm"]) for line in log if "loss" in line]

if targets:
    model = AutoModelForSequenceClassification.from_pretrained(directory, config=AutoConfig.from_pretrained(f"{start}/model_config.json"))
    model = PeftModel.from_pretrained(model, start, is_trainable=True)
else:
    model = AutoModelForSequenceClassification.from_pretrained(start)
model.train()
tokenizer = AutoTokenizer.from_pretrained(start)
batch = tokenizer(
    [row["text"] for row in rows], truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt")
labels = torch.tensor([row["label"] for row in rows])
parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
theirs = []
for _ in range(DRAWS):
    loss = model(**batch, labels=labels).loss
    gradients = torch.autograd.grad(loss, parameters)
    theirs.append((loss.item(), math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))))

failed = len(ours) != DRAWS
for name, a, b in zip(("loss", "gradient norm"), zip(*ours), zip(*theirs)):
    means, deviations = [statistics.fmean(x) for x in (a, b)], [statistics.stdev(x) for x in (a, b)]
    errors = abs(means[0] - means[1]) / math.sqrt(sum(deviation**2 / DRAWS for deviation in deviations))
    print(f"{name}: embert {means[0]:.4f} ± {deviations[0]:.4f}, PyTorch {means[1]:.4f} ± {deviations[1]:.4f}: "
          f"means {errors:.1f} standard errors apart")
    failed |= errors > 4 or max(deviations) > 4 / 3 * min(deviations)
sys.exit(failed)
