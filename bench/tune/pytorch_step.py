"""
How long PyTorch takes for one step of tuning on one thread: forward, backward and AdamW on 64 images.

    python pytorch_step.py [cnn] [vit]     prints a line {"model", "parameters", "milliseconds"} for each

Needs only PyTorch.
"""
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

from networks import network

BATCH, WARM_UPS, STEPS = 64, 3, 10


def milliseconds(name):
    """The median of ten steps after three that do not count, and the number of parameters."""
    model = network(name).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    image, target = torch.randn(BATCH, 1, 28, 28), torch.randint(0, 10, (BATCH,))
    times = []
    for _ in range(WARM_UPS + STEPS):
        began = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(image), target)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[WARM_UPS:]), sum(p.numel() for p in model.parameters())


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ["cnn", "vit"]:
        median, parameters = milliseconds(name)
        print(json.dumps({"model": name, "parameters": parameters, "milliseconds": round(median, 1)}), flush=True)
