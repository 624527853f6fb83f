"""Teaches the base model proper names, and lets it make some up."""
import os
import pathlib
import re

import numpy as np

import charlm


def main():
    rng = np.random.default_rng(int(os.environ["SEED"]))
    lines = pathlib.Path("data/names.txt").read_text(encoding="utf-8").lower().split("\n")
    names = sorted({n for n in (line.strip() for line in lines) if re.fullmatch("[a-z]{3,14}", n)})
    x, y = charlm.examples(names)
    model = charlm.load("base.safetensors")
    print(f"{len(names)} names; loss before {charlm.loss(model, x, y):.4f}")
    charlm.train(model, x, y, steps=int(os.environ.get("STEPS", "1000")), rate=0.001, rng=rng)
    charlm.save("model.safetensors", model)
    made_up = [n.capitalize() for n in charlm.sample(model, rng, 20)]
    pathlib.Path("samples.txt").write_text("\n".join(made_up) + "\n")
    print("names made up:", ", ".join(made_up[:8]))


main()
