"""What `lab check` finds out: who answers, how fast, and whether the needles touch."""

import time
from dataclasses import dataclass
from typing import Any

from crossbar.geometry import DieAddress
from crossbar.records import ContactRecord
from crossbar.units import Seconds
from drivers.protection import Protection
from lab.bench import Bench
from lab.runs import check_contact

ROUND_TRIPS = 5


@dataclass(frozen=True, kw_only=True)
class InstrumentFinding:
    """One line of the table."""

    role: str
    driver: str
    address: str
    identity: str
    round_trip: Seconds
    """Median over a few looks into the error queue."""
    protections: tuple[Protection, ...]
    """What the instrument itself enforces, read back."""


@dataclass(frozen=True, kw_only=True)
class BenchFindings:
    """The whole table, and the contact on the first die."""

    instruments: tuple[InstrumentFinding, ...]
    die: DieAddress
    contact: ContactRecord


def check_bench(bench: Bench) -> BenchFindings:
    """Query every instrument, then touch the first die of the wafer map and read a few cells."""
    instruments = []
    for role, driver in bench.instruments.items():
        table = bench.configuration.instruments[role]
        instruments.append(
            InstrumentFinding(
                role=role,
                driver=table.driver,
                address=table.address,
                identity=driver.identity,
                round_trip=_round_trip(driver),
                protections=bench.protections(role),
            )
        )
    die = bench.configuration.wafer.addresses[0]
    with bench.contacted(die) as memory_die:
        contact = check_contact(bench, memory_die)
    return BenchFindings(instruments=tuple(instruments), die=die, contact=contact)


def _round_trip(driver: Any) -> Seconds:
    durations = []
    for _ in range(ROUND_TRIPS):
        started = time.perf_counter()
        driver.check_errors()
        durations.append(time.perf_counter() - started)
    return sorted(durations)[ROUND_TRIPS // 2]
