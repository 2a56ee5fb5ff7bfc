"""Which protocols `lab run` knows. A new one is one file and one line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crossbar.errors import ConfigurationError
from crossbar.records import Record
from protocols.adaptive_write_error_rate import (
    AdaptiveWriteErrorRateParameters,
    adaptive_write_error_rate,
)
from protocols.array_map import ArrayMapParameters, array_map
from protocols.breakdown_ramp import BreakdownRampParameters, breakdown_ramp
from protocols.contact_check import ContactCheckParameters, contact_check
from protocols.dot_product_check import DotProductCheckParameters, dot_product_check
from protocols.forming import FormingParameters, forming
from protocols.iv_sweep import IvSweepParameters, iv_sweep
from protocols.program_levels import ProgramLevelsParameters, program_levels
from protocols.read_disturb import ReadDisturbParameters, read_disturb
from protocols.read_noise import ReadNoiseParameters, read_noise
from protocols.retention import RetentionParameters, retention
from protocols.set_reset_cycling import SetResetCyclingParameters, set_reset_cycling
from protocols.switching_phase_diagram import (
    SwitchingPhaseDiagramParameters,
    switching_phase_diagram,
)
from protocols.weak_reset import WeakResetParameters, weak_reset
from protocols.write_error_rate import WriteErrorRateParameters, write_error_rate


@dataclass(frozen=True, kw_only=True)
class ProtocolEntry:
    """A protocol and the type of its parameters."""

    run: Callable[..., Iterator[Record]]
    """(die, parameters, done) -> records; ``done`` are the keys of those stored already, or where
    it ``looks_back`` those WerPoints themselves."""
    parameters: type[Any]
    summary: str
    technology: str | None = None
    """Of the cells that it is for; None where it is for any."""
    looks_back: bool = False
    """Whether what it does next depends on what it found before."""
    destructive: bool = False
    """Whether it spends the cells that it measures: `lab run` asks twice before."""
    lasting: bool = False
    """Whether a resumed run needs the cells as they were left: a simulated wafer is then kept with
    every record, as a real one keeps itself."""


PROTOCOLS: dict[str, ProtocolEntry] = {
    "contact-check": ProtocolEntry(
        run=contact_check,
        parameters=ContactCheckParameters,
        summary="whether the needles touch, on a few cells of every die",
    ),
    "forming": ProtocolEntry(
        run=forming,
        parameters=FormingParameters,
        summary="rising pulses until every fresh HfOx cell conducts",
        technology="hfox",
    ),
    "array-map": ProtocolEntry(
        run=array_map,
        parameters=ArrayMapParameters,
        summary="every cell of every die in both states",
    ),
    "write-error-rate": ProtocolEntry(
        run=write_error_rate,
        parameters=WriteErrorRateParameters,
        summary="write error rate over amplitude, width and direction",
    ),
    "adaptive-write-error-rate": ProtocolEntry(
        run=adaptive_write_error_rate,
        parameters=AdaptiveWriteErrorRateParameters,
        summary="the amplitude for a wanted write error rate, in the fewest attempts",
        technology="mtj",
        looks_back=True,
    ),
    "switching-phase-diagram": ProtocolEntry(
        run=switching_phase_diagram,
        parameters=SwitchingPhaseDiagramParameters,
        summary="switching probability over amplitude and width, refined around 50 %",
    ),
    "read-disturb": ProtocolEntry(
        run=read_disturb,
        parameters=ReadDisturbParameters,
        summary="how often a long read switches the cell",
    ),
    "read-noise": ProtocolEntry(
        run=read_noise,
        parameters=ReadNoiseParameters,
        summary="many readings of untouched cells: white, 1/f and telegraph noise",
    ),
    "retention": ProtocolEntry(
        run=retention,
        parameters=RetentionParameters,
        summary="cells left alone for hours: drift, and states that flip",
        lasting=True,
    ),
    "weak-reset": ProtocolEntry(
        run=weak_reset,
        parameters=WeakResetParameters,
        summary="trains of weak RESET pulses: how ln R rises, over amplitude and width",
        technology="hfox",
    ),
    "iv-sweep": ProtocolEntry(
        run=iv_sweep,
        parameters=IvSweepParameters,
        summary="current over voltage, in both states",
    ),
    "set-reset-cycling": ProtocolEntry(
        run=set_reset_cycling,
        parameters=SetResetCyclingParameters,
        summary="endurance: both states after more and more cycles",
    ),
    "dot-product-check": ProtocolEntry(
        run=dot_product_check,
        parameters=DotProductCheckParameters,
        summary="analog dot products beside those of the cells read one by one",
    ),
    "program-and-verify": ProtocolEntry(
        run=program_levels,
        parameters=ProgramLevelsParameters,
        summary="cells into windows of conductance, pulse by pulse, and how well that went",
    ),
    "breakdown-ramp": ProtocolEntry(
        run=breakdown_ramp,
        parameters=BreakdownRampParameters,
        summary="rising pulses until the cells break; destroys them",
        destructive=True,
    ),
}
"""`program_and_verify` with weights is not here: `lab program` brings them."""


def protocol(name: str) -> ProtocolEntry:
    """The entry of that name. Raises ConfigurationError naming those that exist."""
    entry = PROTOCOLS.get(name.replace("_", "-"))
    if entry is None:
        raise ConfigurationError(
            f"There is no protocol {name!r}; there are {', '.join(PROTOCOLS)}."
        )
    return entry
