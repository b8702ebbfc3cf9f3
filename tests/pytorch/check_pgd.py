"""Holds Erm's PGD against torchattacks: the same net, the same images, the same numbers, no random start.

    cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER cifar10
    python tests/pytorch/check_pgd.py FOLDER [--record tests/pytorch/records/pgd.json]

PyTorch judges both: the share of images that it sees as another class than their label, and, for the
attacks toward the class after, the share that it sees as that class. They must agree to one point.
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

from net import like

ATTACKS = {
    "l2-0.25": (torchattacks.PGDL2, 0.25, 20),
    "l2-0.5": (torchattacks.PGDL2, 0.5, 20),
    "linf-8": (torchattacks.PGD, 8 / 255, 10),
}
ALLOWED_POINTS = 1.0
BATCH = 250


def batches(*tensors):
    return zip(*(tensor.split(BATCH) for tensor in tensors))


def attacked(net, kind, epsilon, steps, pictures, labels, targets):
    """What torchattacks makes of the pictures; toward `targets` unless they are None."""
    attack = kind(net, eps=epsilon, alpha=2.5 * epsilon / steps, steps=steps, random_start=False)
    if targets is not None:
        # In this mode the library takes the labels that it is given for the targets.
        attack.set_mode_targeted_by_label(quiet=True)
        labels = targets
    return torch.cat([attack(x, y) for x, y in batches(pictures, labels)])


def seen(net, pictures):
    with torch.no_grad():
        return torch.cat([net(x).argmax(1) for x in pictures.split(BATCH)])


def largest(kind, delta):
    delta = delta.flatten(1)
    return (delta.norm(dim=1) if kind is torchattacks.PGDL2 else delta.abs().amax(1)).max().item()


def compare(net, file, name, direction):
    """One row of the record: the rates of both, and on how many images they differ."""
    kind, epsilon, steps = ATTACKS[name]
    pictures, labels = file["pictures"], file["labels"]
    targets = file["targets"] if direction == "toward" else None
    both = {
        "erm": file[f"{name}.{direction}"],
        "torchattacks": attacked(net, kind, epsilon, steps, pictures, labels, targets),
    }
    hits = {}
    row = {"attack": name, "direction": direction, "epsilon": epsilon, "steps": steps, "step_size": 2.5 * epsilon / steps}
    for who, adversarial in both.items():
        classes = seen(net, adversarial)
        hits[who] = classes != labels if targets is None else classes == targets
        row[f"{who} success, %"] = round(100 * hits[who].float().mean().item(), 2)
        row[f"{who} largest distance"] = round(largest(kind, adversarial - pictures), 6)
    row["images where they differ"] = (hits["erm"] != hits["torchattacks"]).sum().item()
    return row


def show(row):
    print(f"{row['attack']:8} {row['direction']:6}  Erm {row['erm success, %']:6.2f} %   torchattacks "
          f"{row['torchattacks success, %']:6.2f} %   {row['images where they differ']} images differ", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--record", type=pathlib.Path)
    a = p.parse_args()
    net = like(load_file(a.folder / "net.safetensors")).eval().requires_grad_(False)
    path = a.folder / "attacks.safetensors"
    file = load_file(path)
    for name, tensor in file.items():
        if tensor.is_floating_point():
            file[name] = tensor.view(-1, 3, 32, 32)
    clean = (seen(net, file["pictures"]) == file["labels"]).float().mean().item()
    print(f"accuracy without an attack: {100 * clean:.1f} %")
    rows = []
    for direction in ("away", "toward"):
        for name in ATTACKS:
            rows.append(compare(net, file, name, direction))
            show(rows[-1])
    if a.record:
        with safe_open(path, "pt") as opened:
            about = opened.metadata()["set"]
        record = {
            "what": "PGD without random start, by Erm and by torchattacks, on one net that Erm trained; PyTorch judges",
            "torch": torch.__version__,
            "torchattacks": importlib.metadata.version("torchattacks"),
            "net": f"resnet of width {net.features[0][0].out_channels}",
            "images": f"the first {len(file['labels'])} of {about}",
            "seed of the net": 0,
            "accuracy, %": round(100 * clean, 2),
            "attacks": rows,
        }
        a.record.write_text(json.dumps(record, indent=2) + "\n")
    furthest = max(abs(row["erm success, %"] - row["torchattacks success, %"]) for row in rows)
    sys.exit(f"the rates differ by {furthest:.1f} points" if furthest > ALLOWED_POINTS else 0)


if __name__ == "__main__":
    main()
