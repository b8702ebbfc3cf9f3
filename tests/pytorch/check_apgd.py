"""Holds Erm's APGD against AutoAttack's as torchattacks carries it: the same net, images, steps and restarts.

    cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER cifar10
    python tests/pytorch/check_apgd.py FOLDER [--record tests/pytorch/records/apgd.json]

The random starts of the two differ. PyTorch judges both: the share of images that it still sees as
their label. They must agree to one point.
"""
import torchattacks

from referee import Referee

NORMS = {"l2-0.25": ("L2", 0.25), "linf-2": ("Linf", 2 / 255)}
STEPS, RESTARTS = 100, 5


def compare(referee, name, loss):
    norm, epsilon = NORMS[name]
    labels = referee.labels
    attack = torchattacks.APGD(
        referee.net, norm=norm, eps=epsilon, steps=STEPS, n_restarts=RESTARTS, loss=loss
    )
    both = {"erm": referee.file[f"{name}.{loss}"], "torchattacks": referee.made_by(attack, labels)}
    what = {"attack": name, "loss": loss, "epsilon": epsilon, "steps": STEPS, "restarts": RESTARTS}
    return referee.compare(what, "robust accuracy, %", both, norm, lambda classes: classes == labels)


def main():
    referee = Referee(__doc__, "apgd.safetensors")
    rows = [compare(referee, name, loss) for name in NORMS for loss in ("ce", "dlr")]
    what = "APGD by Erm and by torchattacks, on one net that Erm trained; PyTorch judges"
    referee.end(what, "robust accuracy, %", rows)


if __name__ == "__main__":
    main()
