"""Cleans, shuffles and splits a word list: one lower-case word a line."""
import pathlib
import random
import re

OUT = pathlib.Path("prepared")


def main():
    lines = pathlib.Path("data/words.txt").read_text(encoding="utf-8").split("\n")
    words = sorted({w for w in (line.strip().lower() for line in lines)
                    if re.fullmatch(r"[a-z]{3,14}", w)})
    random.Random(20).shuffle(words)
    cut = len(words) * 95 // 100
    OUT.mkdir()
    (OUT / "train.txt").write_text("\n".join(words[:cut]) + "\n")
    (OUT / "valid.txt").write_text("\n".join(words[cut:]) + "\n")
    print(f"{len(lines)} lines, {len(words)} words kept, {cut} to train on")


main()
