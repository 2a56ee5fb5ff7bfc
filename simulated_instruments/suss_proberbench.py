"""A SUSS ProberBench prober: SCI commands; lines end with CR, as on its RS-232."""

from typing import ClassVar

from simulated_instruments.sci_prober import EmulatedSciProber


class EmulatedSussProberBench(EmulatedSciProber):
    """A ProberBench station."""

    TERMINATOR: ClassVar[bytes] = b"\r"
    REPLY_TERMINATOR: ClassVar[bytes] = b"\r"
    IDENTITY: ClassVar[str] = "Suss MicroTec Test Systems GmbH,ProberBench PC,0,7.0"
    VERSION: ClassVar[str] = "7.0"
