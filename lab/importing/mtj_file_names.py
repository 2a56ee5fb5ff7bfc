"""What the names of MTJ files say of the pulses: ``... width_0.750 ns  V_SOT 880.0 mV ...``."""

import re
from pathlib import Path

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds, Volts

WIDTH_IN_NAME = re.compile(r"width[ _]*(\d+)(?:[._](\d+))?[ _]*(ns|ps|us)", re.IGNORECASE)
VOLTS_IN_NAME = re.compile(r"V_SOT[ _]*(-?\d+(?:\.\d+)?)[ _]*(mV|V)", re.IGNORECASE)


def width_of(path: Path, said: Seconds | None) -> Seconds:
    """What was said, or else what the name says. Raises ConfigurationError if neither does."""
    found = WIDTH_IN_NAME.search(path.name)
    if said is not None:
        return said
    if found is None:
        raise ConfigurationError(
            f"{path}: the pulse width is neither in the name ('... width_0.750 ns ...') nor given. "
            "Say it: --set width='0.75 ns'."
        )
    scale = {"ps": 1e12, "ns": 1e9, "us": 1e6}[found[3].lower()]
    return float(f"{found[1]}.{found[2] or 0}") / scale


def magnitude_of(path: Path, said: Volts | None) -> Volts:
    """The same for the magnitude of the pulse."""
    found = VOLTS_IN_NAME.search(path.name)
    if said is not None:
        return abs(said)
    if found is None:
        raise ConfigurationError(
            f"{path}: the pulse amplitude is neither in the name ('... V_SOT 880.0 mV ...') nor "
            "given. Say it: --set amplitude='0.88 V'."
        )
    return abs(float(found[1])) / (1000 if found[2].lower() == "mv" else 1)
