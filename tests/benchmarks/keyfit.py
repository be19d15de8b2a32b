"""Training of the network that names keys with PyTorch: development only."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from app.audio.estimation.key_network import EDGE, Weights

HIDDEN, WIDE = 18, 36  # channels along time, channels of the whole
EPOCHS, BATCH = 24, 64
RATE, DECAY, DROPPED, SMOOTHED = 3e-3, 1e-3, 0.35, 0.05


class Turned(nn.Module):
    """A convolution around the twelve pitch classes and along time."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 12, width) / (inputs * 12 * width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, in, 12, spans) to (batch, out, 12, spans)."""
        around = torch.cat([x, x[:, :, :11]], dim=2)
        padded = functional.pad(around, (self.width // 2, self.width // 2))
        return functional.conv2d(padded, self.weight, self.bias)


class KeyNet(nn.Module):
    """The network of `app/audio/estimation/key_network.py` with dropout before each layer but the first."""

    def __init__(self, bands: int, profiles: int) -> None:
        super().__init__()
        self.first = Turned(bands, HIDDEN, 1)
        self.second = Turned(HIDDEN, HIDDEN, 3)
        self.third = Turned(4 * HIDDEN + profiles, WIDE, 1)
        self.last = Turned(WIDE + profiles, 2, 1)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, course: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Scores of the 24 keys."""
        heard = functional.relu(self.first(course))
        heard = heard + functional.relu(self.second(self.drop(heard)))
        edge = heard.shape[3] // EDGE
        pooled = [heard.mean(3), heard[..., :edge].mean(3), heard[..., -edge:].mean(3), heard.amax(3)]
        whole = torch.cat([*pooled, profiles], dim=1)[..., None]
        drawn = functional.relu(self.third(self.drop(whole)))
        return self.last(torch.cat([self.drop(drawn), profiles[..., None]], dim=1)).flatten(1)


def trained(course: np.ndarray, profiles: np.ndarray, y: np.ndarray, w: np.ndarray, seeds: int) -> Weights:
    """Weights of so many networks, trained on all clips from different beginnings."""
    clips = [torch.from_numpy(part) for part in (course, profiles, y, w)]
    found = [_one(clips, seed) for seed in range(seeds)]
    return {name: np.stack([net[name] for net in found]) for name in found[0]}


def _one(clips: list[torch.Tensor], seed: int) -> dict[str, np.ndarray]:
    course, profiles, y, w = clips
    torch.manual_seed(seed)
    net = KeyNet(course.shape[1], profiles.shape[1]).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    batches = -(-len(y) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(y)).split(BATCH):
            scores = net(course[some], profiles[some])
            each = functional.cross_entropy(scores, y[some], reduction="none", label_smoothing=SMOOTHED)
            loss = (each * w[some]).sum() / w[some].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    layers = dict(enumerate((net.first, net.second, net.third, net.last), start=1))
    arrays = {f"w{i}": layer.weight.detach().numpy() for i, layer in layers.items()}
    return arrays | {f"b{i}": layer.bias.detach().numpy() for i, layer in layers.items()}
