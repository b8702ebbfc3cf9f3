"""The peer of `erm-bench`: PyTorch on the same machine, the same net, the same work, asked again and again.

It says on one line what it is, then answers every line on its standard input,
{"net": "resnet", "width": 16, "batch": 128, "device": "cpu", "work": "PGD step", "config": "contiguous", "seconds": 0.3}, with {"images_per_second": 2799.0}.
On a GPU its numbers stay there; "cuda" has f32 throughout, "cuda-tf32" rounds factors to TF32, as PyTorch's own default for convolutions does.
Between two lines it is blocked, so that it takes nothing from whoever measures then.

    python tests/pytorch/bench.py --threads 2
"""
import argparse
import json
import statistics
import sys
import time


def answer(value):
    print(json.dumps(value), flush=True)


try:
    import torch
    import torch.nn.functional as F
except ImportError as problem:
    answer({"missing": str(problem)})
    sys.exit()

import torch._dynamo

from net import Net

# Every net is compiled for itself; after a few PyTorch would stop compiling and run them slowly.
torch._dynamo.config.recompile_limit = 1000


def published_net(name, width):
    """One of torchvision's nets, which only somebody who asks for one needs."""
    from net import CIFAR10_MEAN, CIFAR10_STD
    from published import Normalised, published

    return Normalised(published(name, width), CIFAR10_MEAN, CIFAR10_STD)


class Bench:
    """A net in one of PyTorch's configurations, and the three pieces of work."""

    def __init__(self, name, width, batch, device, config):
        torch.manual_seed(0)
        self.on_a_gpu = "cuda" in device
        where = "cuda" if self.on_a_gpu else "cpu"
        self.x = torch.rand(batch, 3, 32, 32).to(where)
        self.y = torch.randint(0, 10, (batch,)).to(where)
        self.net = (Net(width) if name == "resnet" else published_net(name, width)).to(where)
        if config != "contiguous":
            self.net = self.net.to(memory_format=torch.channels_last)
        self.run = torch.compile(self.net) if config == "compile" else self.net
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)

    def training_step(self):
        self.optimizer.zero_grad()
        F.cross_entropy(self.run(self.x), self.y).backward()
        self.optimizer.step()

    def pgd_step(self):
        x = self.x.clone().requires_grad_(True)
        g, = torch.autograd.grad(F.cross_entropy(self.run(x), self.y), x)
        norm = g.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
        delta = x.detach() + 0.1 * g / norm - self.x
        scale = (0.5 / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)
        return (self.x + delta * scale).clamp(0, 1)

    def forward(self):
        with torch.no_grad():
            return self.run(self.x)

    def prepare(self, work):
        """The mode that the work is done in, and the function that does it."""
        training = work == "training step"
        self.net.train(training).requires_grad_(training)
        run = {"training step": self.training_step, "PGD step": self.pgd_step, "forward": self.forward}[work]
        return self.waiting_for(run) if self.on_a_gpu else run

    def waiting_for(self, run):
        """The same, done when it returns: a GPU is only asked otherwise."""

        def whole():
            run()
            torch.cuda.synchronize()

        return whole


def images_per_second(work, batch, seconds):
    """From the median of as many runs as fit into `seconds`, at least three."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return batch / statistics.median(times)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    benches = {}
    answer({"peer": "PyTorch " + torch.__version__})
    for line in sys.stdin:
        ask = json.loads(line)
        key = ask["net"], ask["width"], ask["batch"], ask["device"], ask["config"], ask["work"]
        rounded = ask["device"] == "cuda-tf32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = rounded
        # A net of its own for each work: a compiled one would be compiled anew at every change of mode.
        if key not in benches:
            benches[key] = Bench(*key[:-1])
            work = benches[key].prepare(ask["work"])
            images_per_second(work, ask["batch"], 0)
        work = benches[key].prepare(ask["work"])
        work()
        answer({"images_per_second": images_per_second(work, ask["batch"], ask["seconds"])})


main()
