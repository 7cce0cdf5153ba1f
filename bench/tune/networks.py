"""
The two networks of the speed benchmark, for images of 28 x 28 with one channel and ten classes, and where they start.

6,000 images are few for a vision transformer. It learns them in ten epochs because it does not have to find out
what is beside what: its positions start as a row and a column, and its attention heads start by looking at one
neighbour each.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Cnn(nn.Module):
    """Two convolutions and two linear layers: 421,642 parameters."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.hidden = nn.Linear(64 * 7 * 7, 128)
        self.head = nn.Linear(128, 10)

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.conv1(image)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.head(F.relu(self.hidden(torch.flatten(x, 1))))


class Block(nn.Module):
    """Attention and a two-layer network, each after a layer normalization and beside a shortcut."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        rows, tokens, width = x.shape
        shape = (rows, tokens, self.heads, width // self.heads)
        q, k, v = (part.reshape(shape).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(width // self.heads), -1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape(rows, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Vit(nn.Module):
    """A vision transformer over 49 patches of 4 x 4: 803,082 parameters."""

    def __init__(self, width=128, depth=4, heads=4):
        super().__init__()
        self.patch = nn.Conv2d(1, width, 4, 4)
        self.position = nn.Parameter(torch.zeros(1, 49, width))
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


# Where the heads of each block look at first: rows down, columns right.
NEIGHBOURS = [
    [(-1, 0), (1, 0), (0, -1), (0, 1)],
    [(-1, -1), (1, 1), (1, -1), (-1, 1)],
    [(-2, 0), (2, 0), (0, -2), (0, 2)],
    [(-1, 0), (1, 0), (0, -1), (0, 1)],
]


def start_by_neighbours(vit, size=5.0, sharpness=6.0):
    """
    Gives the patches positions of `size` and the heads queries and keys that read them. Of the 32 numbers of a
    head, 7 compare rows and 7 columns; a match counts `sharpness` in the softmax. The others stay free.
    """
    side, width = 7, vit.position.shape[-1]
    head = width // vit.blocks[0].heads
    axes = torch.linalg.qr(torch.randn(width, width))[0]
    rows, columns = axes[:side], axes[side:2 * side]
    with torch.no_grad():
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        vit.position.copy_(size * (rows[y.flatten()] + columns[x.flatten()])[None])
        # How long the position is along each of its two axes after a layer normalization; pixels add a third per number.
        along = size * math.sqrt(width / (width / 3 + 2 * size ** 2))
        gain = math.sqrt(sharpness * math.sqrt(head)) / along
        for block, neighbours in zip(vit.blocks, NEIGHBOURS):
            for number, (down, right) in enumerate(neighbours):
                query = block.qkv.weight[number * head:][:head]
                key = block.qkv.weight[width + number * head:][:head]
                for axis, known, shift in ((0, rows, down), (side, columns, right)):
                    for at in range(side):
                        key[axis + at] = gain * known[at]
                        seen_from = at - shift
                        query[axis + at] = gain * known[seen_from] if 0 <= seen_from < side else 0
                query[2 * side:] *= 0.5
                key[2 * side:] *= 0.5
    return vit


def apart(model):
    """
    Sets the scales and shifts of the normalizations a little apart. Exporters keep equal tensors once, so that a
    graph with new normalizations would tie them all.
    """
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.LayerNorm):
                layer.weight += 0.02 * torch.randn_like(layer.weight)
                layer.bias += 0.02 * torch.randn_like(layer.bias)
    return model


def network(name):
    """`cnn` or `vit` as the benchmark starts it: always the same weights."""
    torch.manual_seed(0)
    return Cnn() if name == "cnn" else apart(start_by_neighbours(Vit()))
