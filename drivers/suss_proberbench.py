"""SUSS ProberBench wafer prober (PA200, PA300): SCI commands over GPIB, or RS-232 with CR.

Source: replies that other laboratories' programs show; the command names are Velox's. Nothing here
was tried on a real prober, and no manual was at hand.
"""

from typing import Any

from drivers.sci_prober import SciProber


class SussProberBench(SciProber):
    """A ProberBench prober whose wafer map is loaded and whose contact height is taught."""

    identity_words = ("ProberBench", "Suss")

    def __init__(self, adapter: Any, name: str = "SUSS ProberBench", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
