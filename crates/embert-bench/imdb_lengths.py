# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "pyarrow==26.0.1", "tokenizers==0.23.3"]
# ///
"""Prints the numbers of tokens of 512 IMDb reviews, including `[CLS]` and `[SEP]`, without truncation. The reviews are
the first rows of the train split after `shuffle(seed=42)` of `datasets`.

    uv run imdb_lengths.py train-00000-of-00001.parquet vocab.txt > imdb_lengths.json

The parquet file is from stanfordnlp/imdb (plain_text), the vocabulary from bert-base-uncased.
"""

import sys
import textwrap

import numpy
from pyarrow import parquet
from tokenizers import BertWordPieceTokenizer

ROWS = 512

train, vocabulary = sys.argv[1:]
texts = parquet.read_table(train, columns=["text"])["text"]
tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
order = numpy.random.default_rng(42).permutation(len(texts))[:ROWS]
lengths = [len(tokenizer.encode(texts[int(row)].as_py()).ids) for row in order]
print("[\n" + textwrap.fill(", ".join(map(str, lengths)), 100) + "\n]")
