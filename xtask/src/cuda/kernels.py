"""Sums the csv of `ncu --csv` by kernel: launches, time and memory traffic. Usage: kernels.py ncu.csv"""

import collections
import csv
import re
import sys


def number(text):
    """Returns 0 for "n/a", the value of a metric that the GPU does not have."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return 0.0


times, traffic, launches = collections.Counter(), collections.Counter(), collections.Counter()
units = {}
with open(sys.argv[1], encoding="utf-8") as file:
    for row in csv.DictReader(line for line in file if line.startswith('"')):
        kernel = re.sub(r"_[0-9a-f]{8}$", "", row["Kernel Name"])[:60]
        metric, value = row["Metric Name"], number(row["Metric Value"])
        units[metric.split("__")[0]] = row["Metric Unit"]
        if metric.startswith("gpu__time"):
            times[kernel] += value
            launches[kernel] += 1
        elif metric.startswith("dram__bytes"):
            traffic[kernel] += value
for kernel, value in times.most_common(40):
    print(f"{kernel:<60} {launches[kernel]:>5} launches {value:>14.0f} {traffic[kernel]:>16.0f}")
print(f"all kernels: {sum(launches.values())} launches, {sum(times.values()):.0f} {units.get('gpu')}, {units}")
