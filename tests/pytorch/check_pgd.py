"""Holds Erm's PGD against torchattacks: the same net, the same images, the same numbers, no random start.

    cargo run --release -p erm-prelude --example export_for_pytorch -- FOLDER cifar10
    python tests/pytorch/check_pgd.py FOLDER [--record tests/pytorch/records/pgd.json]

PyTorch judges both: the share of images that it sees as another class than their label, and, for the
attacks toward the class after, the share that it sees as that class. They must agree to one point.
"""
import torchattacks

from referee import Referee

ATTACKS = {
    "l2-0.25": (torchattacks.PGDL2, "L2", 0.25, 20),
    "l2-0.5": (torchattacks.PGDL2, "L2", 0.5, 20),
    "linf-8": (torchattacks.PGD, "Linf", 8 / 255, 10),
}


def compare(referee, name, direction):
    kind, norm, epsilon, steps = ATTACKS[name]
    step_size = 2.5 * epsilon / steps
    attack = kind(referee.net, eps=epsilon, alpha=step_size, steps=steps, random_start=False)
    labels, targets = referee.labels, referee.file["targets"]
    if direction == "toward":
        # In this mode the library takes the labels that it is given for the targets.
        attack.set_mode_targeted_by_label(quiet=True)
        labels = targets
    both = {"erm": referee.file[f"{name}.{direction}"], "torchattacks": referee.made_by(attack, labels)}
    what = {"attack": name, "direction": direction, "epsilon": epsilon, "steps": steps, "step_size": step_size}
    hit = {"away": lambda classes: classes != labels, "toward": lambda classes: classes == targets}
    return referee.compare(what, "success, %", both, norm, hit[direction])


def main():
    referee = Referee(__doc__, "attacks.safetensors")
    rows = [compare(referee, name, direction) for direction in ("away", "toward") for name in ATTACKS]
    what = "PGD without random start, by Erm and by torchattacks, on one net that Erm trained; PyTorch judges"
    referee.end(what, "success, %", rows)


if __name__ == "__main__":
    main()
