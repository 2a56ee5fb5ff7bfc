"""Makers' own Python packages, imported when a bench first uses them.

Some boards are not spoken to with messages: their maker publishes a package, and its object is the
instrument. None of them is needed to install or to simulate a bench.
"""

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
