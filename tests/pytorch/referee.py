"""What the comparisons of attacks share: PyTorch loads what Erm exported, judges two attackers, and keeps a record."""
import argparse
import importlib.metadata
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from net import like

ALLOWED_POINTS = 1.0
BATCH = 250


class Referee:
    """The net and the images of one file that Erm exported."""

    def __init__(self, doc, name):
        p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        p.add_argument("folder", type=pathlib.Path)
        p.add_argument("--record", type=pathlib.Path)
        a = p.parse_args()
        self.record = a.record
        self.net = like(load_file(a.folder / "net.safetensors")).eval().requires_grad_(False)
        path = a.folder / name
        self.file = load_file(path)
        for key, tensor in self.file.items():
            if tensor.is_floating_point():
                self.file[key] = tensor.view(-1, 3, 32, 32)
        with safe_open(path, "pt") as opened:
            self.about = opened.metadata()["set"]
        self.pictures, self.labels = self.file["pictures"], self.file["labels"]

    def seen(self, pictures):
        with torch.no_grad():
            return torch.cat([self.net(x).argmax(1) for x in pictures.split(BATCH)])

    def made_by(self, attack, labels):
        """What a torchattacks attack makes of the pictures, given what it takes for labels."""
        return torch.cat([attack(x, y) for x, y in zip(self.pictures.split(BATCH), labels.split(BATCH))])

    def compare(self, what, rate, both, norm, hit):
        """One row of the record: the share of images that are `hit` by each, and on how many they differ."""
        hits, row = {}, dict(what)
        for who, adversarial in both.items():
            hits[who] = hit(self.seen(adversarial))
            delta = (adversarial - self.pictures).flatten(1)
            size = (delta.norm(dim=1) if norm == "L2" else delta.abs().amax(1)).max().item()
            row[f"{who} {rate}"] = round(100 * hits[who].float().mean().item(), 2)
            row[f"{who} largest distance"] = round(size, 6)
        row["images where they differ"] = (hits["erm"] != hits["torchattacks"]).sum().item()
        print(row, flush=True)
        return row

    def end(self, what, rate, rows):
        """Writes the record, and ends the program: in failure if the two are too far apart somewhere."""
        clean = (self.seen(self.pictures) == self.labels).float().mean().item()
        record = {
            "what": what,
            "torch": torch.__version__,
            "torchattacks": importlib.metadata.version("torchattacks"),
            "net": f"resnet of width {self.net.features[0][0].out_channels}",
            "images": f"the first {len(self.labels)} of {self.about}",
            "seed of the net": 0,
            "accuracy, %": round(100 * clean, 2),
            "attacks": rows,
        }
        if self.record:
            self.record.write_text(json.dumps(record, indent=2) + "\n")
        furthest = max(abs(row[f"erm {rate}"] - row[f"torchattacks {rate}"]) for row in rows)
        sys.exit(f"they differ by {furthest:.1f} points" if furthest > ALLOWED_POINTS else 0)
