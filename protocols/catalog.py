"""Which protocols `lab run` knows. A new one is one file and one line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crossbar.errors import ConfigurationError
from crossbar.records import Record
from protocols.array_map import ArrayMapParameters, array_map
from protocols.contact_check import ContactCheckParameters, contact_check
from protocols.write_error_rate import WriteErrorRateParameters, write_error_rate


@dataclass(frozen=True, kw_only=True)
class ProtocolEntry:
    """A protocol and the type of its parameters."""

    run: Callable[..., Iterator[Record]]
    """(die, parameters, done) -> records."""
    parameters: type[Any]
    summary: str


PROTOCOLS: dict[str, ProtocolEntry] = {
    "contact-check": ProtocolEntry(
        run=contact_check,
        parameters=ContactCheckParameters,
        summary="whether the needles touch, on a few cells of every die",
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
}
"""`program_and_verify` is not here: it takes weights, and `lab program` brings them."""


def protocol(name: str) -> ProtocolEntry:
    """The entry of that name. Raises ConfigurationError naming those that exist."""
    entry = PROTOCOLS.get(name.replace("_", "-"))
    if entry is None:
        raise ConfigurationError(
            f"There is no protocol {name!r}; there are {', '.join(PROTOCOLS)}."
        )
    return entry
