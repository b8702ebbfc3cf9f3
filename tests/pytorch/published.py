"""Torchvision's nets of the paper's section 3.3 for images of 32x32 pixels, at any width, and ResNets for photographs.

The changes for small images are those of the authors' library: a first convolution of 3x3 pixels that moves by one, no
pool behind it, and one linear layer at the end. Width 64 is the published size; at another width each convolution and
batch norm has its share of the channels.
"""
import torch
import torch.nn as nn
import torchvision.models as models

PUBLISHED = 64


def resnet(make):
    net = make(num_classes=10)
    net.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = nn.Identity()
    return net


def vgg16():
    net = models.vgg16_bn(num_classes=10)
    net.avgpool, net.classifier = nn.Identity(), nn.Linear(512, 10)
    return net


def densenet121():
    net = models.densenet121(num_classes=10)
    net.features.conv0 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.features.pool0 = nn.Identity()
    return net


def inception_v3():
    net = models.inception_v3(num_classes=10, aux_logits=False, transform_input=False, init_weights=False)
    net.Conv2d_1a_3x3.conv = nn.Conv2d(3, 32, 3, 1, 1, bias=False)
    net.Conv2d_2a_3x3.conv = nn.Conv2d(32, 32, 3, 1, 1, bias=False)
    net.maxpool1 = net.maxpool2 = nn.Identity()
    return net


NETS = {
    "resnet18": lambda: resnet(models.resnet18),
    "resnet50": lambda: resnet(models.resnet50),
    "vgg16": vgg16,
    "densenet121": densenet121,
    "inception_v3": inception_v3,
}

# As torchvision has them, but for the number of classes.
PHOTOGRAPHS = {
    "resnet18_photographs": lambda: models.resnet18(num_classes=10),
    "resnet50_photographs": lambda: models.resnet50(num_classes=10),
}


def share(channels, width):
    return channels if channels == 3 else channels * width // PUBLISHED


def narrow(module, width):
    """The same layer with its share of the channels, newly drawn."""
    if isinstance(module, nn.Conv2d):
        return nn.Conv2d(
            share(module.in_channels, width), share(module.out_channels, width), module.kernel_size,
            module.stride, module.padding, bias=module.bias is not None,
        )
    if isinstance(module, nn.BatchNorm2d):
        return nn.BatchNorm2d(share(module.num_features, width), eps=module.eps)
    if isinstance(module, nn.Linear):
        return nn.Linear(share(module.in_features, width), module.out_features)
    return None


def published(name, width):
    """One of `NETS` or `PHOTOGRAPHS` at a width, with PyTorch's own first numbers; pictures come normalised."""
    net = (NETS | PHOTOGRAPHS)[name]()
    for path, module in list(net.named_modules()):
        new = narrow(module, width)
        if new is not None:
            parent, _, last = path.rpartition(".")
            setattr(net.get_submodule(parent), last, new)
    return net


class Normalised(nn.Module):
    """A net behind the normalisation of pictures in [0, 1]."""

    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, x):
        return self.net((x - self.mean) / self.std)
