"""Whether a die's cells were formed: what writes states says nothing of cells that were not."""

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.units import Siemens, Volts


def check_formed(
    die: MemoryDie, cells: CellIndices, read_amplitude: Volts, formed_above: Siemens
) -> None:
    """Read the (n,) cells once; raise ConfigurationError if half of them conduct less than a formed
    cell in any state. Does nothing for ``formed_above`` 0: cells that need no FORMING.
    """
    if not formed_above:
        return
    median = float(np.median(die.read(cells, read_amplitude).conductance))
    if not median >= formed_above:
        raise ConfigurationError(
            f"Die {die.address} is not formed: of {len(cells)} cells the median conducts "
            f"{median:.2g} S, and formed cells conduct more than {formed_above:.2g} S "
            "(formed_above). Nothing was written. Form it first: lab run forming."
        )
