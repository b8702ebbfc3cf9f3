"""Holds Erm's APGD against AutoAttack's as torchattacks carries it: the same net, images, steps and restarts.

    cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER cifar10
    python tests/pytorch/check_apgd.py FOLDER [--record tests/pytorch/records/apgd.json]

The random starts of the two differ. PyTorch judges both: the share of images that it still sees as
their label. They must agree to one point.
"""
import argparse
import importlib.metadata
import json
import pathlib
import sys

import torch
import torchattacks
from safetensors import safe_open
from safetensors.torch import load_file

from check_pgd import batches, seen
from net import like

NORMS = {"l2-0.25": ("L2", 0.25), "linf-2": ("Linf", 2 / 255)}
STEPS, RESTARTS = 100, 5
ALLOWED_POINTS = 1.0


def compare(net, file, name, loss):
    """One row of the record: the robust accuracy of both, and on how many images they differ."""
    norm, epsilon = NORMS[name]
    pictures, labels = file["pictures"], file["labels"]
    attack = torchattacks.APGD(net, norm=norm, eps=epsilon, steps=STEPS, n_restarts=RESTARTS, loss=loss)
    both = {
        "erm": file[f"{name}.{loss}"],
        "torchattacks": torch.cat([attack(x, y) for x, y in batches(pictures, labels)]),
    }
    row = {"attack": name, "loss": loss, "epsilon": epsilon, "steps": STEPS, "restarts": RESTARTS}
    right = {}
    for who, adversarial in both.items():
        right[who] = seen(net, adversarial) == labels
        delta = (adversarial - pictures).flatten(1)
        size = (delta.norm(dim=1) if norm == "L2" else delta.abs().amax(1)).max().item()
        row[f"{who} robust accuracy, %"] = round(100 * right[who].float().mean().item(), 2)
        row[f"{who} largest distance"] = round(size, 6)
    row["images where they differ"] = (right["erm"] != right["torchattacks"]).sum().item()
    print(row, flush=True)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--record", type=pathlib.Path)
    a = p.parse_args()
    net = like(load_file(a.folder / "net.safetensors")).eval().requires_grad_(False)
    path = a.folder / "apgd.safetensors"
    file = load_file(path)
    for name, tensor in file.items():
        if tensor.is_floating_point():
            file[name] = tensor.view(-1, 3, 32, 32)
    rows = [compare(net, file, name, loss) for name in NORMS for loss in ("ce", "dlr")]
    if a.record:
        with safe_open(path, "pt") as opened:
            about = opened.metadata()["set"]
        record = {
            "what": "APGD by Erm and by torchattacks on one net that Erm trained; PyTorch judges",
            "torch": torch.__version__,
            "torchattacks": importlib.metadata.version("torchattacks"),
            "net": f"resnet of width {net.features[0][0].out_channels}",
            "images": f"the first {len(file['labels'])} of {about}",
            "seed of the net": 0,
            "attacks": rows,
        }
        a.record.write_text(json.dumps(record, indent=2) + "\n")
    furthest = max(abs(row["erm robust accuracy, %"] - row["torchattacks robust accuracy, %"]) for row in rows)
    sys.exit(f"the robust accuracies differ by {furthest:.1f} points" if furthest > ALLOWED_POINTS else 0)


if __name__ == "__main__":
    main()
