"""Holds a net that Erm trained and saved against the same net in PyTorch: logits, gradients, three steps.

    cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER cifar10
    python tests/pytorch/check_net.py FOLDER [--record tests/pytorch/records/net.json]

Every difference is given in units of the largest number it is among, beside the difference between PyTorch
in float32 and PyTorch in float64. Where that one is large, a ReLU lies so near its kink that rounding
decides about it, and on another machine Erm and PyTorch may decide differently too.
"""
import argparse
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from net import like

# A pass strays by some 1e-5 of the largest number, three steps by more; a wrong index or a wrong
# statistic moves a number by its own size.
ALLOWED = 1e-3


def distance(found, truth):
    truth = truth.double().flatten()
    return ((found.double().flatten() - truth).abs().max() / truth.abs().max()).item()


def passes(state, numbers, dtype):
    """Logits and gradients as Erm names them, computed by PyTorch in `dtype`."""
    x = numbers["pictures"].view(-1, 3, 32, 32).to(dtype).requires_grad_(True)
    labels = numbers["labels"]
    net = like(state).to(dtype).eval()
    logits = net(x)
    # Erm gives each image the gradient of its own loss: the sum over the batch, not the mean.
    slope, = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), x)
    found = {"evaluation.logits": logits.detach(), "evaluation.pictures": slope}
    loss = F.cross_entropy(net.train()(x), labels)
    found["training.loss"] = loss.detach()
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    return found | {f"training.{index:02}": g for index, g in enumerate(gradients)}


def three_steps(state, numbers, dtype):
    """How far each number of the net moves in three steps down the batch, statistics included."""
    net = like(state).to(dtype).train()
    x = numbers["pictures"].view(-1, 3, 32, 32).to(dtype)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(net(x), numbers["labels"]).backward()
        optimizer.step()
    return moves(state, net.state_dict())


def moves(before, after):
    names = [name for name in before if before[name].dim() > 0 and name not in ("mean", "std")]
    return {f"moved.{name}": after[name].double() - before[name].double() for name in names}


def worst(found, truth):
    """The largest distance among the numbers of each kind: logits, pictures, parameters, moves."""
    kinds = {}
    for name in truth:
        kind = {"training": "training.parameters"}.get(name.split(".")[0], name)
        kind = "training.loss" if name == "training.loss" else kind
        kind = "three steps" if name.startswith("moved") else kind
        kinds[kind] = max(kinds.get(kind, 0.0), distance(found[name], truth[name]))
    return kinds


def rounded(kinds):
    return {kind: float(f"{value:.1e}") for kind, value in kinds.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--record", type=pathlib.Path)
    a = p.parse_args()
    state = load_file(a.folder / "net.safetensors")
    numbers = load_file(a.folder / "passes.safetensors")
    erm = numbers | moves(state, load_file(a.folder / "after-three-steps.safetensors"))
    truth, single = (
        passes(state, numbers, dtype) | three_steps(state, numbers, dtype)
        for dtype in (torch.float64, torch.float32)
    )
    ours, theirs = worst(erm, single), worst(single, truth)
    for kind in ours:
        print(f"{kind:22} Erm from PyTorch {ours[kind]:.1e}   PyTorch float32 from float64 {theirs[kind]:.1e}")
    if a.record:
        record = {
            "what": "largest difference, in units of the largest number",
            "torch": torch.__version__,
            "net": f"resnet of width {state['features.0.0.weight'].shape[0]}, trained by Erm",
            "images": len(numbers["labels"]),
            "Erm from PyTorch float32": rounded(ours),
            "PyTorch float32 from float64": rounded(theirs),
        }
        a.record.write_text(json.dumps(record, indent=2) + "\n")
    sys.exit("Erm and PyTorch disagree" if max(ours.values()) > ALLOWED else 0)


if __name__ == "__main__":
    main()
