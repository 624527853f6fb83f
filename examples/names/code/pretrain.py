"""Trains the model on ordinary words."""
import json
import os
import pathlib

import numpy as np

import charlm


def main():
    rng = np.random.default_rng(int(os.environ["SEED"]))
    train, valid = (charlm.examples(pathlib.Path("prepared", name).read_text().split())
                    for name in ("train.txt", "valid.txt"))
    model = charlm.new(rng)
    charlm.train(model, *train, steps=int(os.environ.get("STEPS", "2000")), rate=0.003, rng=rng)
    metrics = {"examples": len(train[1]), "validLoss": round(charlm.loss(model, *valid), 4)}
    charlm.save("base.safetensors", model)
    pathlib.Path("metrics.json").write_text(json.dumps(metrics) + "\n")
    print(metrics)


main()
