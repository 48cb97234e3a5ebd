"""One encoder block in PyTorch, driven by `point3r bench-block --against python`, which embeds this file.

stdin: a JSON line (numbers, names and shapes of tensors), the tensors and the input as f32, then a line per wish.
stdout: a JSON line with the version; for "run" the milliseconds, for "output" the f32 of the last run.
"""

import json, sys, time

import numpy as np
import torch
import torch.nn.functional as F

head = json.loads(sys.stdin.buffer.readline())
if head["threads"]:
    torch.set_num_threads(head["threads"])
T, W, H = head["tokens"], head["width"], head["heads"]
D = W // H


def read(shape):
    count = int(np.prod(shape))
    values = np.frombuffer(sys.stdin.buffer.read(4 * count), "<f4")
    return torch.from_numpy(values.copy()).reshape(shape)


p = {name: read(shape) for name, shape in head["tensors"]}
x = read([T, W])
token = torch.arange(T)
place = torch.stack([token // head["columns"], token % head["columns"]], 1).float()
frequency = head["rotary_base"] ** (-torch.arange(D // 4).float() / (D // 4))
angle = (place[:, :, None] * frequency)[:, None]  # [T, 1, axis, D / 4]
cos, sin = angle.cos(), angle.sin()


def turn(t):
    a, b = t.reshape(T, H, 2, 2, D // 4).unbind(3)
    return torch.stack([a * cos - b * sin, b * cos + a * sin], 3).reshape(T, H, D)


def linear(t, name):
    return F.linear(t, p[name + ".weight"], p[name + ".bias"])


def norm(t, name):
    return F.layer_norm(t, [W], p[name + ".weight"], p[name + ".bias"], head["epsilon"])


def block(t):
    q, k, v = linear(norm(t, "norm1"), "attn.qkv").reshape(T, 3, H, D).unbind(1)
    heads = [u.transpose(0, 1)[None] for u in (turn(q), turn(k), v)]
    mixed = F.scaled_dot_product_attention(*heads)[0].transpose(0, 1).reshape(T, W)
    t = t + linear(mixed, "attn.proj")
    return t + linear(F.gelu(linear(norm(t, "norm2"), "mlp.fc1")), "mlp.fc2")


print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
with torch.inference_mode():
    y = x
    while wish := sys.stdin.buffer.readline().strip():
        if wish == b"run":
            start = time.perf_counter()
            y = block(x)
            print((time.perf_counter() - start) * 1e3, flush=True)
        else:
            sys.stdout.buffer.write(y.numpy().astype("<f4").tobytes())
            sys.stdout.buffer.flush()
