"""apps/inference/tokenizer.py: exact counts, and no text that makes it slow."""

import subprocess
import sys
import time

import pytest

from apps.inference import tokenizer

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 8, 9),
        ("<|endoftext|>", 7, 7),  # what a person writes is text, never a control token
        ("a\ud800b", 3, 3),  # half a character, which no encoding can carry
    ],
)
def test_counts_as_the_models_of_openai_do(text, o200k, cl100k):
    assert tokenizer.count([text]) == tokenizer.count([text], "o200k_base") == [o200k]
    assert tokenizer.count([text], "cl100k_base") == [cl100k]


@pytest.mark.parametrize("unit", ["a", " ", "\n", "!", "1", "😀", "漢", "e\u0301", "ab", " \n"], ids=ascii)
def test_no_text_takes_more_than_its_length(unit):
    tokenizer.count(["loads the vocabulary"])
    began = time.process_time()
    [count] = tokenizer.count([unit * (MIB // len(unit.encode()))])
    assert time.process_time() - began < 1  # measured: 0.01 s; were it quadratic, hours
    assert count > 1000


def test_who_never_counts_loads_no_vocabulary():
    code = "import toktok; print(len(toktok._CACHE))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"0"
