# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.15.0", "transformers==5.24.0"]
# ///
"""Prints the number of parameters of each model in models.json, as a classifier with two labels.

    uv run count_parameters.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

models = json.loads((Path(__file__).parent / "models.json").read_text())
for name, config in models.items():
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**config))
    print(f'("{name}", {model.num_parameters():_}),')
