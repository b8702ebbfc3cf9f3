"""Writes torchvision's nets and what they make of some pictures, for Erm to be held against.

    python tests/pytorch/export_published.py FOLDER --width 64
    python tests/pytorch/export_published.py FOLDER --nets resnet18_photographs,resnet50_photographs --side 224
    cargo run --release -p erm-prelude --example check_published -- FOLDER

Every number of a net is drawn at random, those of batch norms too. The weights and pictures are float32; what is
expected is computed from them in float64.
"""
import argparse
import copy
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

from published import NETS, published

IMAGES = 2


def uneven(name, width, side, seed):
    """A net none of whose batch norms is 0 or 1, and whose activations keep their size."""
    torch.manual_seed(seed)
    net = published(name, width)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.num_batches_tracked.fill_(3)
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # What a training step leaves out cannot be compared.
    # Running statistics of the pictures' own kind: without them a deep net's numbers run away.
    net.train()
    with torch.no_grad():
        for _ in range(30):
            net(torch.randn(8, 3, side, side))
    return net


def numbers(net, pictures, labels):
    """Logits in both modes, and in evaluation mode the gradient of the mean cross-entropy by the pictures."""
    x = pictures.double().requires_grad_(True)
    logits = copy.deepcopy(net).double().eval()((x - 0.5) / 0.25)
    F.cross_entropy(logits, labels).backward()
    with torch.no_grad():
        in_training = copy.deepcopy(net).double().train()((x - 0.5) / 0.25)
    return {"evaluation.logits": logits.detach(), "evaluation.pictures": x.grad, "training.logits": in_training}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--side", type=int, default=32)
    p.add_argument("--nets", default=",".join(NETS))
    a = p.parse_args()
    a.folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(a.nets.split(",")):
        net = uneven(name, a.width, a.side, seed)
        pictures, labels = torch.rand(IMAGES, 3, a.side, a.side), torch.arange(IMAGES) % 10
        found = numbers(net, pictures, labels)
        state = {key: value.contiguous() for key, value in net.state_dict().items()}
        save_file(state, a.folder / f"{name}.safetensors")
        expected = {"pictures": pictures, "labels": labels}
        expected |= {key: value.float().contiguous() for key, value in found.items()}
        save_file(expected, a.folder / f"{name}-expected.safetensors", {"width": str(a.width)})
        print(name, f"{sum(p.numel() for p in net.parameters()):,} parameters", flush=True)


main()
