# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.24.0", "peft==0.21.2"]
# ///
"""Runs a workload of embert-bench like transformers' Trainer, on a CPU or on CUDA: batches padded to their longest row,
scaled dot product attention where the family has it, autocast for bf16 and fp16, fused AdamW.

    uv run peer.py < work.json

Reads the workload as JSON from standard input. Prints the time of each step, and the measurement as one line of JSON.
"""

import json
import os
import sys
import time

import peft
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification


def main():
    work = json.load(sys.stdin)
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(42)
    if work["on_gpu"]:
        torch.set_float32_matmul_precision("high")  # TF32 in the rows of fp32: the default of embert on CUDA
    model = classifier(work["config"]).to(device(work))
    attention = model.config._attn_implementation
    step = evaluation(model, work) if work["task"] == "evaluation" else training(model, work)
    seconds = []
    for number in range(work["warm_up"] + work["steps"]):
        begin = time.perf_counter()
        step(number)
        if work["on_gpu"]:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
        print(f"step {number + 1}: {seconds[-1]:.4f} s", flush=True)
    libraries = f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"
    where = torch.cuda.get_device_name() if work["on_gpu"] else f"{torch.get_num_threads()} threads"
    answer = {
        "seconds": seconds[work["warm_up"]:],
        "first_seconds": seconds[0],
        "peak_bytes": torch.cuda.max_memory_reserved() if work["on_gpu"] else peak_bytes(),
        "versions": f"{libraries}, {attention} attention, {where}",
    }
    print(json.dumps(answer))


def classifier(keys):
    config = AutoConfig.for_model(**keys)
    try:
        return AutoModelForSequenceClassification.from_config(config, attn_implementation="sdpa")
    except ValueError:  # the family has no such attention
        return AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")


def training(model, work):
    if work["task"] == "lora":
        model = peft.get_peft_model(model, peft.LoraConfig(
            task_type="SEQ_CLS", r=4, lora_alpha=32, lora_dropout=0.01, target_modules=["query", "key"]))
    model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=5e-5, weight_decay=0.0, fused=True)
    scaler = torch.amp.GradScaler(device(work), init_scale=1024.0, enabled=work["fp16"])
    rows, size = made_up_rows(work), work["batch_size"]

    def step(number):
        batch = collate(rows[number * size:(number + 1) * size], work)
        with autocast(work):
            loss = model(**batch).loss
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    return step


def evaluation(model, work):
    model.eval()
    rows, size = made_up_rows(work), work["batch_size"]

    def step(_):
        with torch.no_grad(), autocast(work):
            for start in range(0, len(rows), size):
                model(**collate(rows[start:start + size], work)).logits.float().tolist()

    return step


def autocast(work):
    dtype = torch.float16 if work["fp16"] else torch.bfloat16
    return torch.autocast(device(work), dtype=dtype, enabled=work["bf16"] or work["fp16"])


def device(work):
    return "cuda" if work["on_gpu"] else "cpu"


def made_up_rows(work):
    ids = lambda length: torch.randint(5, work["config"]["vocab_size"], (length,))
    return [(ids(length), row % 2) for row, length in enumerate(work["lengths"])]


def collate(rows, work):
    lengths = torch.tensor([len(ids) for ids, _ in rows])
    pad_id = work["config"]["pad_token_id"]
    input_ids = torch.nn.utils.rnn.pad_sequence([ids for ids, _ in rows], batch_first=True, padding_value=pad_id)
    attention_mask = (torch.arange(input_ids.shape[1]) < lengths[:, None]).long()
    batch = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "labels": torch.tensor([label for _, label in rows]),
    }
    return {name: tensor.to(device(work)) for name, tensor in batch.items()}


def peak_bytes():
    """Returns VmHWM on Linux, as embert does."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
    except OSError:
        return None
    return int(line.split()[1]) * 1024


main()
