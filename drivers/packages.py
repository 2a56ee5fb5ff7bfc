"""Makers' own Python packages, imported when a bench first uses them.

Some boards are not spoken to with messages: their maker publishes a package, and its object is the
instrument. None of them is needed to install or to simulate a bench.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from crossbar.errors import NotConnectedError

INSTALLATION = {
    "pyarc2": "pip install pyarc2 (it brings libarc2; the board's firmware comes from its maker)",
    "daffodillib": "pip install git+https://github.com/usnistgov/daffodil-lib, on the board's own "
    "Linux, which has libpgpio.so",
}
"""How to install each package, in the words of its own documentation."""


def maker_package(package: str, instrument: str) -> Any:
    """Import a maker's package.

    Raises NotConnectedError, which names the package and how to install it. A package that is there
    but lacks one of its own libraries counts as missing: it cannot reach the instrument either.
    """
    try:
        return import_module(package)
    except (ImportError, OSError) as error:
        how = INSTALLATION.get(package.partition(".")[0], f"pip install {package}")
        raise NotConnectedError(
            f"The {instrument} cannot be reached: its maker's Python package {package!r} cannot be "
            f"imported ({error}). Install it: {how}."
        ) from error


def class_identity(instrument: str, library: object) -> str:
    """Which package and class answer, where the board itself has no identity to ask for."""
    kind = type(library)
    return f"{instrument} ({kind.__module__}.{kind.__qualname__})"


def missing_verbs(library: object, verbs: Iterable[str]) -> list[str]:
    """Those of the package's functions that this object does not have."""
    return [verb for verb in verbs if not callable(getattr(library, verb, None))]
