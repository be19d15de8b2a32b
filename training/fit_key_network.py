"""Train the key network with PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from app.audio.estimation.key_network import EDGE_FRACTION, Weights

HIDDEN_CHANNELS, POOLED_CHANNELS = 18, 36  # channels along time, channels of the whole
EPOCHS, BATCH_CLIPS = 24, 64
LEARNING_RATE, WEIGHT_DECAY, DROPOUT, LABEL_SMOOTHING = 3e-3, 1e-3, 0.35, 0.05


class CircularConvolution(nn.Module):
    """Convolve around the twelve pitch classes and along time."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 12, width) / (inputs * 12 * width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (batch, in, 12, spans) to (batch, out, 12, spans)."""
        around = torch.cat([x, x[:, :, :11]], dim=2)
        padded = functional.pad(around, (self.width // 2, self.width // 2))
        return functional.conv2d(padded, self.weight, self.bias)


class KeyNetwork(nn.Module):
    """The network of `app/audio/estimation/key_network.py` with dropout before each layer but the first."""

    def __init__(self, bands: int, profiles: int) -> None:
        super().__init__()
        self.first = CircularConvolution(bands, HIDDEN_CHANNELS, 1)
        self.second = CircularConvolution(HIDDEN_CHANNELS, HIDDEN_CHANNELS, 3)
        self.third = CircularConvolution(4 * HIDDEN_CHANNELS + profiles, POOLED_CHANNELS, 1)
        self.last = CircularConvolution(POOLED_CHANNELS + profiles, 2, 1)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, course: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Return the scores of the 24 keys, shape (batch, 24)."""
        heard = functional.relu(self.first(course))
        heard = heard + functional.relu(self.second(self.drop(heard)))
        edge = heard.shape[3] // EDGE_FRACTION
        pooled = [heard.mean(3), heard[..., :edge].mean(3), heard[..., -edge:].mean(3), heard.amax(3)]
        whole = torch.cat([*pooled, profiles], dim=1)[..., None]
        drawn = functional.relu(self.third(self.drop(whole)))
        return self.last(torch.cat([self.drop(drawn), profiles[..., None]], dim=1)).flatten(1)


def train_networks(
    course: np.ndarray, profiles: np.ndarray, y: np.ndarray, w: np.ndarray, seeds: int
) -> Weights:
    """Train one network for each seed on all clips, and return their weights stacked."""
    clips = [torch.from_numpy(part) for part in (course, profiles, y, w)]
    found = [_train_one(clips, seed) for seed in range(seeds)]
    return {name: np.stack([net[name] for net in found]) for name in found[0]}


def _train_one(clips: list[torch.Tensor], seed: int) -> dict[str, np.ndarray]:
    """Train one network from a seed and return its arrays."""
    course, profiles, y, w = clips
    torch.manual_seed(seed)
    net = KeyNetwork(course.shape[1], profiles.shape[1]).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = -(-len(y) // BATCH_CLIPS)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(y)).split(BATCH_CLIPS):
            scores = net(course[some], profiles[some])
            each = functional.cross_entropy(
                scores, y[some], reduction="none", label_smoothing=LABEL_SMOOTHING
            )
            loss = (each * w[some]).sum() / w[some].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    layers = dict(enumerate((net.first, net.second, net.third, net.last), start=1))
    arrays = {f"w{i}": layer.weight.detach().numpy() for i, layer in layers.items()}
    return arrays | {f"b{i}": layer.bias.detach().numpy() for i, layer in layers.items()}
