"""Writes the numbers that Erm's tests are held against, to prelude/tests/fixtures.

Two nets with uneven batch norms, saved as PyTorch saves them, and for each what PyTorch makes of it. The
weights and pictures are float32; every expected number is computed from them in float64 and rounded once, so
that a difference is Erm's own rounding. A ReLU near its kink, or a gradient near zero under a
sign, would turn rounding into a real difference: seeds are tried until there is none.

    python tests/pytorch/fixtures.py
"""
import itertools
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from net import Net

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "prelude" / "tests" / "fixtures"

# The rounding of float32 reaches about 1e-6 in the numbers that are compared with zero.
CLEAR_OF_ZERO = 5e-6


class TooClose(Exception):
    """A number whose sign float32 might not get right."""


def uneven(width, seed):
    """A net none of whose numbers is 0 or 1, in float32."""
    torch.manual_seed(seed)
    net = Net(width, mean=(0.45, 0.5, 0.4), std=(0.2, 0.25, 0.3))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.3, 0.3)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.2, 0.6)
            module.num_batches_tracked.fill_(7)
    return net


def exact(net):
    """The same net in float64, which refuses inputs that bring a ReLU too close to its kink."""
    twin = Net(net.features[0][0].out_channels).double()
    twin.load_state_dict(net.state_dict())

    def watch(_module, _inputs, output):
        if output.abs().min() < CLEAR_OF_ZERO:
            raise TooClose

    for module in twin.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(watch)
    return twin


def passes(net, pictures, labels):
    """Logits and gradients of the mean cross-entropy in both modes, and the statistics after one batch."""
    found = {}
    for mode in ["evaluation", "training"]:
        twin = exact(net).train(mode == "training")
        x = pictures.double().requires_grad_(True)
        logits = twin(x)
        F.cross_entropy(logits, labels).backward()
        found[f"{mode}.logits"], found[f"{mode}.pictures"] = logits.detach(), x.grad
        if mode == "training":
            found |= {f"training.{name}": p.grad for name, p in twin.named_parameters()}
            found |= {f"after.{name}": b for name, b in twin.named_buffers() if "running" in name}
    return found


def sgd(net, pictures, labels):
    """The numbers of the net after three steps down the same batch."""
    twin = exact(net)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(twin(pictures.double()), labels).backward()
        optimizer.step()
    return {f"sgd.{name}": value for name, value in twin.state_dict().items() if value.dim() > 0}


def l2_step(g, delta, step, epsilon):
    def size(d):
        return d.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

    delta = delta + step * g / size(g)
    return delta * (epsilon / size(delta)).clamp(max=1)


def linf_step(g, delta, step, epsilon):
    if (g.abs() < 1e-5 * g.abs().amax((1, 2, 3), keepdim=True)).any():
        raise TooClose
    return (delta + step * g.sign()).clamp(-epsilon, epsilon)


def pgd(net, pictures, labels, move, step, epsilon):
    """The picture after each of five steps away from its label, (5, n, 3, h, w)."""
    twin, center = exact(net).eval(), pictures.double()
    x, path = center, []
    for _ in range(5):
        x = x.detach().requires_grad_(True)
        # Erm and every attack library differentiate the mean over the batch; a step ignores its scale.
        g, = torch.autograd.grad(F.cross_entropy(twin(x), labels), x)
        x = (center + move(g, x.detach() - center, step, epsilon)).clamp(0, 1)
        path.append(x)
    return torch.stack(path)


def numbers(width, batch, size, seed):
    """A net, and all that is expected of it; which of it depends on what fits into a small file."""
    net = uneven(width, seed)
    pictures, labels = torch.rand(batch, 3, *size), torch.arange(batch) * 3 % 10
    expected = passes(net, pictures, labels)
    if size == (32, 32):
        # `Net::train` takes a data set, and that has pictures of 32×32.
        expected |= sgd(net, pictures, labels)
    else:
        expected["pgd.l2"] = pgd(net, pictures, labels, l2_step, 0.25, 0.5)
        expected["pgd.linf"] = pgd(net, pictures, labels, linf_step, 2 / 255, 8 / 255)
    expected = {name: value.float().contiguous() for name, value in expected.items()}
    return net, {"pictures": pictures, "labels": labels} | expected


def write(width, batch, size):
    for seed in itertools.count():
        try:
            net, expected = numbers(width, batch, size, seed)
            break
        except TooClose:
            continue
    about = {"torch": torch.__version__, "seed": str(seed)}
    save_file(net.state_dict(), FOLDER / f"width-{width}.safetensors", about)
    save_file(expected, FOLDER / f"width-{width}-expected.safetensors", about)
    print(f"width {width}: seed {seed}")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(4, 6, (32, 32))
    write(8, 3, (12, 16))
