# /// script
# requires-python = ">=3.10"
# dependencies = ["transformers==5.24.0", "tokenizers==0.23.3"]
# ///
"""Compares saved tokenizers with AutoTokenizer. Run: `python compare_saved.py CONVERT`, where CONVERT is the built example convert_tokenizer.

It converts the files of each family in fixtures/tokenizers, opens the result with AutoTokenizer, and compares ids and special tokens.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

FAMILIES = Path(__file__).parent / "fixtures" / "tokenizers"
CLASSES = {"roberta": "Roberta", "modernbert": "Roberta", "xlm-roberta": "XLMRoberta", "camembert": "Camembert", "deberta-v2": "DebertaV2",
           "deberta-v2-settings": "DebertaV2", "albert": "Albert", "mpnet": "MPNet"}
TEXTS = json.loads((FAMILIES / "texts.json").read_text())


def compare(family, output):
    name = f"{CLASSES[family]}Tokenizer"
    subprocess.run([sys.argv[1], FAMILIES / family / "files", output, name], check=True)
    tokenizer = AutoTokenizer.from_pretrained(output)
    cases = json.loads((FAMILIES / family / "cases.json").read_text())
    for text, ids in zip(TEXTS, cases["singles"], strict=True):
        assert tokenizer(text)["input_ids"] == ids, (family, text, tokenizer(text)["input_ids"], ids)
    for case in cases["pairs"]:
        found = tokenizer([case["text"]], [case["text_pair"]])["input_ids"][0]
        assert found == case["ids"], (family, case, found)
    special = [tokenizer.cls_token_id, tokenizer.sep_token_id]
    assert special == [cases["singles"][0][0], cases["singles"][0][1]] and tokenizer.pad_token_id is not None, special
    print(family, type(tokenizer).__name__, tokenizer.model_input_names, len(tokenizer))


for family in CLASSES:
    # config.json of a model selects the class, too.
    for config in [None, {"model_type": family.removesuffix("-settings")}]:
        with tempfile.TemporaryDirectory() as output:
            if config:
                (Path(output) / "config.json").write_text(json.dumps(config))
            compare(family, output)
