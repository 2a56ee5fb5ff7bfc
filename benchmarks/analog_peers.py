"""Other people's simulators of analog arrays, each set up to train 784-n-10 on MNIST.

Each is imported only when asked for. They train real-valued weights with tanh between the layers,
as their own examples do, on noise or on pulses instead of on defects: what compares is the time of
an epoch, not the accuracy. Settings that their examples leave open are ours and the cheap ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

RATE = 0.05
"""Learning rate of plain gradient descent."""
NOISE = 0.1
"""Standard deviation of weights under hardware-aware training, of the largest weight."""


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A network and what makes it learn."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    after_step: Callable[[], None] = lambda: None


def aihwkit_pulsed(hidden: int) -> Learner:
    """IBM's kit: every weight a pair of devices that are updated by pulses (`ConstantStep`)."""
    from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig

    config = SingleRPUConfig(device=ConstantStepDevice())
    return _aihwkit(hidden, config)


def aihwkit_aware(hidden: int) -> Learner:
    """IBM's kit: noise on the weights of each step, its analog forward pass."""
    from aihwkit.simulator.configs import InferenceRPUConfig, WeightModifierType

    config = InferenceRPUConfig()
    config.modifier.type = WeightModifierType.ADD_NORMAL
    config.modifier.std_dev = NOISE
    return _aihwkit(hidden, config)


def _aihwkit(hidden: int, config: Any) -> Learner:
    from aihwkit.nn import AnalogLinear, AnalogSequential
    from aihwkit.optim import AnalogSGD

    model = AnalogSequential(
        AnalogLinear(784, hidden, rpu_config=config),
        nn.Tanh(),
        AnalogLinear(hidden, 10, rpu_config=config),
    )
    optimizer = AnalogSGD(model.parameters(), lr=RATE)
    optimizer.regroup_param_groups(model)
    return Learner(model=model, optimizer=optimizer)


def aihwkit_lightning(hidden: int) -> Learner:
    """IBM's fast kit: noise on the weights of each step, nothing else."""
    from aihwkit_lightning.nn import AnalogLinear
    from aihwkit_lightning.simulator.configs import TorchInferenceRPUConfig
    from aihwkit_lightning.simulator.parameters import WeightNoiseInjectionType

    config = TorchInferenceRPUConfig()
    config.modifier.noise_type = WeightNoiseInjectionType.ADD_NORMAL
    config.modifier.std_dev = NOISE
    model = nn.Sequential(
        AnalogLinear(784, hidden, rpu_config=config),
        nn.Tanh(),
        AnalogLinear(hidden, 10, rpu_config=config),
    )
    return Learner(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=RATE))


def crosssim(hidden: int) -> Learner:
    """Sandia's simulator in the loop: programming errors drawn after each step."""
    from simulator import CrossSimParameters
    from simulator.algorithms.dnn.torch.convert import from_torch, synchronize

    parameters = CrossSimParameters()
    errors = parameters.xbar.device.programming_error
    errors.enable, errors.model, errors.magnitude = True, "NormalIndependentDevice", NOISE
    layers = nn.Sequential(nn.Linear(784, hidden), nn.Tanh(), nn.Linear(hidden, 10))
    model = from_torch(layers, parameters)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    return Learner(model=model, optimizer=optimizer, after_step=lambda: synchronize(model))


class _WithLayers(nn.Module):
    """What XBTorch patches: a model whose layers are named ``model``."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(784, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, 10, bias=False)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of (batch, 784) images."""
        return self.model(x)


def xbtorch(hidden: int) -> Learner:
    """XBTorch as in its example of training, ternary weights; no device model, which costs more."""
    import xbtorch as package
    import xbtorch.optim as optim
    from xbtorch.patches import xbtorch_model

    package.initialize(wage_quantize=True)
    model = xbtorch_model(_WithLayers(hidden))
    return Learner(model=model, optimizer=optim.SGD(model.parameters(), lr=RATE))


PEERS: dict[str, Callable[[int], Learner]] = {
    "aihwkit, pulsed updates": aihwkit_pulsed,
    "aihwkit, hardware-aware": aihwkit_aware,
    "aihwkit-lightning, hardware-aware": aihwkit_lightning,
    "CrossSim, in the loop": crosssim,
    "XBTorch, ternary": xbtorch,
}
"""Each makes a network of so many hidden units, or raises ImportError where it is not installed."""
