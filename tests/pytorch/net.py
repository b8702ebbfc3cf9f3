"""The peer's net: Erm's `Architecture::resnet` in PyTorch, under the names that `Net::save` writes.

Every script in this folder needs PyTorch, which is too large to be a dependency of Erm:

    python3 -m venv .venv && .venv/bin/pip install torch torchvision numpy safetensors torchattacks
    .venv/bin/python tests/pytorch/fixtures.py     writes the numbers that the Rust tests read
    .venv/bin/python tests/pytorch/check_net.py    holds a net that Erm saved against this one
    .venv/bin/python tests/pytorch/check_pgd.py    holds Erm's PGD against torchattacks
    .venv/bin/python tests/pytorch/check_apgd.py   holds Erm's APGD against torchattacks
    .venv/bin/python tests/pytorch/export_published.py   writes torchvision's nets for Erm to read
    cargo run --release -p erm-prelude --bin erm-bench -- --python .venv/bin/python
"""
import torch
import torch.nn as nn

CIFAR10_MEAN, CIFAR10_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def conv(inputs, outputs, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Residual(nn.Module):
    """x + relu(bn(conv(relu(bn(conv(x))))))."""

    def __init__(self, channels):
        super().__init__()
        self.first, self.second = conv(channels, channels, 1), conv(channels, channels, 1)

    def forward(self, x):
        return x + self.second(self.first(x))


class Net(nn.Module):
    """Pictures (n, 3, height, width) in [0, 1] to logits (n, classes); it normalises them itself."""

    def __init__(self, width, mean=CIFAR10_MEAN, std=CIFAR10_STD, classes=10):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.features = nn.Sequential(
            conv(3, width, 1),
            conv(width, 2 * width, 2),
            Residual(2 * width),
            conv(2 * width, 4 * width, 2),
            Residual(4 * width),
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x):  # (n, 3, h, w)
        features = self.features((x - self.mean) / self.std)  # (n, 4·width, h / 4, w / 4)
        return self.head(features.mean((2, 3)))  # (n, classes)


def like(state):
    """The net whose `state_dict` Erm saved; its width and classes follow from the shapes."""
    classes, features = state["head.weight"].shape
    net = Net(features // 4, classes=classes)
    net.load_state_dict(state)
    return net
