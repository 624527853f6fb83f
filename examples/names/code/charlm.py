"""A small character language model: embedding, one hidden layer, softmax."""
import json
import pathlib

import numpy as np

LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # '.' begins and ends a word
CONTEXT, WIDTH, HIDDEN = 6, 16, 128


def examples(words):
    """Every (context, next letter) of every word, as indices."""
    xs, ys = [], []
    for word in words:
        window = [0] * CONTEXT
        for letter in word + ".":
            index = LETTERS.index(letter)
            xs.append(window)
            ys.append(index)
            window = window[1:] + [index]
    return np.array(xs), np.array(ys)


def new(rng):
    def layer(rows, columns):
        return (rng.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)
    n = len(LETTERS)
    return {
        "embedding": layer(n, WIDTH),
        "hidden.weight": layer(CONTEXT * WIDTH, HIDDEN),
        "hidden.bias": np.zeros(HIDDEN, np.float32),
        "output.weight": layer(HIDDEN, n),
        "output.bias": np.zeros(n, np.float32),
    }


def forward(model, x):
    embedded = model["embedding"][x].reshape(len(x), -1)
    hidden = np.tanh(embedded @ model["hidden.weight"] + model["hidden.bias"])
    logits = hidden @ model["output.weight"] + model["output.bias"]
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    return embedded, hidden, p / p.sum(axis=1, keepdims=True)


def gradients(model, x, y):
    embedded, hidden, p = forward(model, x)
    p[np.arange(len(y)), y] -= 1
    p /= len(y)
    d_hidden = (p @ model["output.weight"].T) * (1 - hidden ** 2)
    d_embedded = (d_hidden @ model["hidden.weight"].T).reshape(-1, WIDTH)
    one_hot = np.eye(len(LETTERS), dtype=np.float32)[x.reshape(-1)]
    return {
        "embedding": one_hot.T @ d_embedded,
        "hidden.weight": embedded.T @ d_hidden,
        "hidden.bias": d_hidden.sum(axis=0),
        "output.weight": hidden.T @ p,
        "output.bias": p.sum(axis=0),
    }


def loss(model, x, y):
    p = forward(model, x)[2]
    return float(-np.log(p[np.arange(len(y)), y]).mean())


def train(model, x, y, steps, rate, rng, batch=512):
    """Adam (Kingma and Ba, 2015)."""
    mean = {k: np.zeros_like(v) for k, v in model.items()}
    square = {k: np.zeros_like(v) for k, v in model.items()}
    for step in range(1, steps + 1):
        pick = rng.integers(0, len(y), batch)
        for k, g in gradients(model, x[pick], y[pick]).items():
            mean[k] += 0.1 * (g - mean[k])
            square[k] += 0.001 * (g * g - square[k])
            m, s = mean[k] / (1 - 0.9 ** step), square[k] / (1 - 0.999 ** step)
            model[k] -= rate * m / (np.sqrt(s) + 1e-8)
        if step % (steps // 5) == 0:
            print(f"step {step} of {steps}: loss {loss(model, x[:10 * steps], y[:10 * steps]):.4f}", flush=True)


def sample(model, rng, count):
    words = []
    while len(words) < count:
        window, word = [0] * CONTEXT, ""
        while len(word) < 20:
            index = int(rng.choice(len(LETTERS), p=forward(model, np.array([window]))[2][0]))
            if index == 0:
                break
            word += LETTERS[index]
            window = window[1:] + [index]
        if len(word) > 2:
            words.append(word)
    return words


def save(path, model):
    """The safetensors format: header length, JSON header, tensors."""
    header, offset = {}, 0
    for name in sorted(model):
        size = model[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(model[name].shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(model[name].astype("<f4").tobytes() for name in sorted(model))
    pathlib.Path(path).write_bytes(len(text).to_bytes(8, "little") + text + body)


def load(path):
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    model = {}
    for name, t in json.loads(data[8:start]).items():
        first, last = (start + o for o in t["data_offsets"])
        model[name] = np.frombuffer(data[first:last], "<f4").reshape(t["shape"]).copy()
    return model
