"""Prints the limits of the GPU, as torch reaches them: matrix products of BERT-base in bf16, and memory bandwidth."""

import time

import torch


def seconds(run, count=20):
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(count):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / count


for rows, columns, inner in [(16384, 768, 768), (16384, 3072, 768), (16384, 768, 3072)]:
    a = torch.randn(rows, inner, device="cuda", dtype=torch.bfloat16)
    b = torch.randn(inner, columns, device="cuda", dtype=torch.bfloat16)
    rate = 2 * rows * columns * inner / seconds(lambda: a @ b)
    print(f"[{rows} x {inner}] x [{inner} x {columns}]: {rate / 1e12:.0f} TFLOP/s", end="; ")
source = torch.empty(2**31, device="cuda", dtype=torch.uint8)
target = torch.empty_like(source)
print(f"copy: {2 * 2**31 / seconds(lambda: target.copy_(source)) / 1e12:.2f} TB/s")
