"""
Tunes the networks with PyTorch for ten epochs on 6,000 images and says how many test images they then know:

    python convergence.py DATA [--task mnist|fashion] [--model cnn|vit]

DATA holds <task>-train.safetensors and <task>-test.safetensors (x: U8 [N,28,28], y: U8 [N]). The settings are those
of the benchmark over HTTP, so this shows what PyTorch reaches with them. Needs PyTorch and safetensors.
"""
import argparse
import json
import math
import os
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from networks import network

# As `local` of POST /tune has it. The label smoothing is worth half a percent here: 6,000 images are learned by heart.
LOCAL = {"epochs": 10, "batch_size": 32, "learning_rate": 1e-3, "weight_decay": 0.05, "label_smoothing": 0.1}
# The pixels get mean 0 and deviation 1, as those of MNIST have it.
SCALE, OFFSET = 1 / 255 / 0.3081, -0.1307 / 0.3081


def images(path):
    """Pixels as float32 [N,1,28,28] and classes."""
    arrays = load_file(path)
    return arrays["x"].float().unsqueeze(1) * SCALE + OFFSET, arrays["y"].long()


def accuracy(model, image, target):
    """The share of rows whose largest output is the target."""
    with torch.no_grad():
        return sum((model(i).argmax(1) == t).sum().item()
                   for i, t in zip(image.split(500), target.split(500))) / len(target)


def tune(name, task, data, seed):
    """Ten epochs with AdamW, its rate falling as a cosine."""
    image, target = images(os.path.join(data, f"{task}-train.safetensors"))
    test = images(os.path.join(data, f"{task}-test.safetensors"))
    local, model = LOCAL, network(name)
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=local["learning_rate"], weight_decay=local["weight_decay"])
    steps = local["epochs"] * math.ceil(len(target) / local["batch_size"])
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    began = time.time()
    for epoch in range(local["epochs"]):
        for rows in torch.randperm(len(target)).split(local["batch_size"]):
            loss = F.cross_entropy(model(image[rows]), target[rows], label_smoothing=local["label_smoothing"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cosine.step()
        line = {"model": name, "task": task, "seed": seed, "epoch": epoch + 1,
                "accuracy": round(accuracy(model, *test), 4), "seconds": round(time.time() - began)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--task", choices=["mnist", "fashion"], action="append")
    parser.add_argument("--model", choices=["cnn", "vit"], action="append")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for model in asked.model or ["cnn", "vit"]:
        for task in asked.task or ["mnist", "fashion"]:
            tune(model, task, asked.data, asked.seed)
