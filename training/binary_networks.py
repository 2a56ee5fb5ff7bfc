"""The binarized networks of the papers, as ordinary torch models of `training.binary_layers`.

Weights and hidden activations are +-1, the first layer sees the image as it is, each sum is
followed by batch normalization. The papers' own widths are given where they are known.
"""

import torch
from torch import nn

from training.binary_layers import BinaryActivation, BinaryConv2d, BinaryLinear

ALEXNET_IMAGE = 224
"""Pixels along an edge of the image that `binary_alexnet` takes."""


def mnist_mlp(
    generator: torch.Generator, *, inputs: int = 784, hidden: tuple[int, ...] = (1024, 1024)
) -> nn.Sequential:
    """Dense layers for digits: 784-1024-1024-10 in Hirtzlin et al. 2019 (from memory)."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers += [BinaryLinear(inputs, width, generator), nn.BatchNorm1d(width)]
        layers += [BinaryActivation()]
        inputs = width
    layers += [BinaryLinear(inputs, 10, generator), nn.BatchNorm1d(10)]
    return nn.Sequential(*layers)


def cifar_conv(generator: torch.Generator, *, width: int = 128, dense: int = 1024) -> nn.Sequential:
    """Six convolutions and three dense layers for CIFAR-10, BinaryNet's shape.

    Courbariaux et al. 2016 (arXiv:1602.02830) with ``width`` 128; Majumdar et al. 2021 use 384.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, pooled in (
        (width, False), (width, True),
        (2 * width, False), (2 * width, True),
        (4 * width, False), (4 * width, True),
    ):  # fmt: skip
        layers += [BinaryConv2d(inputs, outputs, 3, generator, padding=1)]
        layers += [nn.MaxPool2d(2)] * pooled
        layers += [nn.BatchNorm2d(outputs), BinaryActivation()]
        inputs = outputs
    layers += [nn.Flatten()]
    inputs *= 4 * 4
    for outputs in (dense, dense):
        layers += [BinaryLinear(inputs, outputs, generator), nn.BatchNorm1d(outputs)]
        layers += [BinaryActivation()]
        inputs = outputs
    layers += [BinaryLinear(inputs, 10, generator), nn.BatchNorm1d(10)]
    return nn.Sequential(*layers)


def binary_alexnet(
    generator: torch.Generator, *, classes: int = 1000, width: int = 96, dense: int = 4096
) -> nn.Sequential:
    """AlexNet with +-1 weights and activations for (batch, 3, 224, 224) images.

    Shape of Rastegari et al. 2016 (XNOR-Net, arXiv:1603.05279); theirs keeps the first and the last
    layer real-valued, here, as in Hirtzlin et al. 2019, every weight is a bit.
    """
    wide, wider = width * 8 // 3, width * 4
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, kernel, stride, padding, pooled in (
        (width, 11, 4, 2, True),
        (wide, 5, 1, 2, True),
        (wider, 3, 1, 1, False),
        (wider, 3, 1, 1, False),
        (wide, 3, 1, 1, True),
    ):
        layers += [BinaryConv2d(inputs, outputs, kernel, generator, stride=stride, padding=padding)]
        layers += [nn.MaxPool2d(3, 2)] * pooled
        layers += [nn.BatchNorm2d(outputs), BinaryActivation()]
        inputs = outputs
    layers += [nn.Flatten()]
    inputs *= 6 * 6
    for outputs in (dense, dense):
        layers += [BinaryLinear(inputs, outputs, generator), nn.BatchNorm1d(outputs)]
        layers += [BinaryActivation()]
        inputs = outputs
    layers += [BinaryLinear(inputs, classes, generator), nn.BatchNorm1d(classes)]
    return nn.Sequential(*layers)
