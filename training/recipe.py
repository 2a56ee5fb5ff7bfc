"""How a network is built and trained, one recipe for each data set."""

from dataclasses import dataclass

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from crossbar.units import Ratio
from training.encoding import Encoding
from training.placement import Placement


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One training run, by Adam with rates that fall to zero along half a cosine."""

    epochs: int
    batch: int
    """Images in a mini-batch."""
    latent_rate: float
    """Learning rate of the latents."""
    digital_rate: float
    """Learning rate of gains and offsets."""
    dies: int = 1
    """Dies that share a mini-batch; only statistics-aware training can use more than one."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch, self.dies) < 1 or self.batch % self.dies:
            raise ConfigurationError(
                f"A schedule of {self.epochs} epochs with {self.dies} dies in batches of "
                f"{self.batch}: all must be 1 or more, and the dies must divide the batch."
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The network's shape, and a schedule for each way of training."""

    hidden: int
    encoding: Encoding = Encoding.SINGLE_ENDED
    rows_at_once: int
    """Rows driven together; see `Placement`."""
    bound: Ratio
    """See `Solution`."""
    ideal: Schedule
    statistics_aware: Schedule
    """Continues from the ideal solution."""
    defect_aware: Schedule
    """Continues from the ideal solution, or from the statistics-aware one."""

    def placement(self, geometry: DieGeometry, outputs: int = 10) -> Placement:
        """The network on a die of this geometry. Raises ConfigurationError if it does not fit."""
        return Placement(
            geometry=geometry,
            hidden=self.hidden,
            outputs=outputs,
            encoding=self.encoding,
            rows_at_once=self.rows_at_once,
        )


RECIPES = {
    "digits": Recipe(
        hidden=100,
        rows_at_once=10,
        bound=1.3,
        ideal=Schedule(epochs=50, batch=64, latent_rate=0.01, digital_rate=0.005),
        statistics_aware=Schedule(
            epochs=60, batch=128, latent_rate=0.01, digital_rate=0.005, dies=4
        ),
        defect_aware=Schedule(epochs=10, batch=64, latent_rate=0.01, digital_rate=0.005),
    ),
    "mnist": Recipe(
        hidden=150,
        rows_at_once=2,
        bound=1.5,
        ideal=Schedule(epochs=15, batch=128, latent_rate=0.005, digital_rate=0.002),
        statistics_aware=Schedule(
            epochs=30, batch=256, latent_rate=0.01, digital_rate=0.004, dies=4
        ),
        defect_aware=Schedule(epochs=5, batch=128, latent_rate=0.005, digital_rate=0.002),
    ),
}
"""By data set. Chosen by experiment; docs/experiments.md has the figures."""
