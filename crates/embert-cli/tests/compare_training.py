# /// script
# requires-python = ">=3.11"
# dependencies = ["peft==0.21.2", "torch==2.15.0", "transformers==5.23.0"]
# ///
"""Optional check: PyTorch and embert have the same losses with the same weights and batches.

    uv run crates/embert-cli/tests/compare_training.py target/release/embert MODEL_DIR TRAIN.jsonl TEST.jsonl [TARGETS]

The files have an object with `text` and `label` (0 or 1) on each line. embert trains two epochs without dropout, in fp32.
Then PyTorch's AdamW trains the same model, which transformers opens, on the rows in the same order. The script computes
this order itself.

The script prints the largest difference of the losses of a step, and both accuracies on TEST.jsonl. It fails if a loss
differs by more than 1e-3, or the accuracy by more than one percentage point. With TARGETS, such as query,value, both
programs train adapters of rank 8 on these modules, with a higher learning rate.
"""
import json, subprocess, sys, tempfile

import torch
from peft import PeftModel
from torch.nn.utils import clip_grad_norm_
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

SEED, EPOCHS, BATCH, MAX_LENGTH, RATE, WARMUP, DECAY = 42, 2, 8, 128, 5e-5, 25, 0.01
WORD = 2**64 - 1


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


def order(length, epoch):
    """Returns embert's order of rows: a Fisher-Yates shuffle with Lemire's bounded numbers from SplitMix64."""
    gamma, counter = 0x9E3779B97F4A7C15, 0
    for part in (SEED, epoch, 1):
        counter = mix(counter + part + gamma & WORD)
    rows = list(range(length))
    for place in range(length - 1, 0, -1):
        while True:
            counter = counter + gamma & WORD
            product = mix(counter) * (place + 1)
            if product & WORD >= 2**64 % (place + 1):
                break
        other = product >> 64
        rows[place], rows[other] = rows[other], rows[place]
    return rows


embert, directory, train_file, test_file = sys.argv[1:5]
targets = sys.argv[5] if len(sys.argv) > 5 else None
lora = dict(lora_target_modules=targets, lora_r=8, lora_alpha=16) if targets else {}
RATE = 2e-3 if targets else RATE
rows = lambda path: [json.loads(line) for line in open(path, encoding="utf-8")]
train, test = rows(train_file), rows(test_file)
work = tempfile.mkdtemp()


def run(name, **extra):
    settings = dict(
        model=directory, train_file=train_file, test_file=test_file, output_dir=f"{work}/{name}", seed=SEED,
        num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, max_seq_length=MAX_LENGTH, warmup_steps=WARMUP,
        weight_decay=DECAY, hidden_dropout_prob=0, attention_probs_dropout_prob=0, classifier_dropout=0,
        logging_steps=1, eval_strategy="epoch") | lora | extra
    flags = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    subprocess.run([embert, "train", *flags], check=True, capture_output=True)
    return f"{work}/{name}"


start = run("start", learning_rate=0, max_steps=1, eval_strategy="no")
trained = run("trained", learning_rate=RATE)
lines = rows(f"{trained}/metrics.jsonl")
ours = [line["loss"] for line in lines if "loss" in line]
our_accuracy = [line["eval_accuracy"] for line in lines if "eval_accuracy" in line][-1]

tokenizer = AutoTokenizer.from_pretrained(start)
if targets:
    model = AutoModelForSequenceClassification.from_pretrained(directory, config=AutoConfig.from_pretrained(f"{start}/model_config.json"))
    model = PeftModel.from_pretrained(model, start, is_trainable=True)
else:
    model = AutoModelForSequenceClassification.from_pretrained(start)
model.train()
encode = lambda batch: tokenizer(
    [row["text"] for row in batch], truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt")
labels = lambda batch: torch.tensor([row["label"] for row in batch])
split = lambda wanted: [p for p in model.parameters() if p.requires_grad and (p.dim() > 1) == wanted]
groups = [dict(params=split(True), weight_decay=DECAY), dict(params=split(False), weight_decay=0.0)]
optimizer = torch.optim.AdamW(groups, lr=RATE)
schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, len(ours))
theirs = []
for epoch in range(EPOCHS):
    permutation = order(len(train), epoch)
    for first in range(0, len(train), BATCH):
        batch = [train[row] for row in permutation[first : first + BATCH]]
        loss = model(**encode(batch), labels=labels(batch)).loss
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        theirs.append(loss.item())

model.eval()
with torch.no_grad():
    batches = (test[first : first + BATCH] for first in range(0, len(test), BATCH))
    right = sum((model(**encode(batch)).logits.argmax(-1) == labels(batch)).sum().item() for batch in batches)
assert len(ours) == len(theirs)
difference = max(abs(a - b) for a, b in zip(ours, theirs))
their_accuracy = right / len(test)
print(f"{len(ours)} steps: largest difference of losses {difference:.1e}; "
      f"accuracy on {len(test)} texts: embert {our_accuracy:.3f}, PyTorch {their_accuracy:.3f}")
sys.exit(difference > 1e-3 or abs(our_accuracy - their_accuracy) > 0.01)
