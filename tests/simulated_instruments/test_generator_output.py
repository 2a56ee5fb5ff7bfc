"""What the output of every SCPI pulse generator does to the cell, each told in its own dialect."""

import numpy as np
import pytest

from simulated_instruments.catalog import EMULATORS, load_emulator
from simulated_instruments.generator_output import GeneratorOutput
from tests.simulated_instruments.scpi_generators import (
    DIALECTS,
    KEYSIGHT_81110A,
    KEYSIGHT_81160A,
    tell,
)
from tests.simulated_instruments.scpi_messages import ask
from tests.simulated_instruments.stations import CELL
from tests.simulated_instruments.transcripts import rows


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(request):
    return request.param


@pytest.fixture
def generator(dialect, station):
    return dialect.generator(station)


def test_every_generator_with_such_an_output_is_here():
    assert {dialect.name for dialect in DIALECTS} == {
        name for name in EMULATORS if issubclass(load_emulator(name), GeneratorOutput)
    }


def test_identity_is_that_of_the_instrument(generator, dialect):
    assert ask(generator, b"*IDN?").split(",")[:2] == list(dialect.identity)


def test_a_trigger_is_one_positive_pulse_of_open_circuit_volts(generator, dialect, station):
    """With an open circuit programmed as load: what is programmed is what it sees."""
    tell(generator, dialect.levels % (0.9, 0.45), dialect.width % "30NS", dialect.on, "*TRG")

    volts = dialect.open_circuit(0.9)
    assert station.pulses == [(pytest.approx(volts), pytest.approx(30e-9), 50.0)]
    assert station.clock.now == pytest.approx(30e-9)


@pytest.mark.parametrize("dialect", [KEYSIGHT_81160A, KEYSIGHT_81110A], ids=str)
def test_a_pulse_is_100_ns_wide_unless_told_otherwise(generator, dialect, station):
    tell(generator, dialect.levels % (0.9, 0.45), dialect.on, "*TRG")

    assert [width for _, width, _ in station.pulses] == pytest.approx([100e-9])


def test_levels_refer_to_the_programmed_load(generator, dialect, station):
    """50 Ohm behind 50 Ohm: the open circuit sees twice as much."""
    tell(generator, dialect.load % 50, dialect.levels % (0.9, 0.45), dialect.on, "*TRG")

    assert station.volts == [pytest.approx(1.8)]


def test_inverted_polarity_idles_high_and_pulses_low(generator, dialect, station):
    """A negative pulse from 0 V."""
    tell(generator, dialect.inverted, dialect.levels % (0.8, -0.4), dialect.on, "*TRG")

    assert station.volts == [pytest.approx(dialect.open_circuit(-0.8))]


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_output_that_idles_off_zero_acts_on_the_cell_at_once(generator, dialect, station, sign):
    """Normal polarity idles at the low level, inverted at the high one, until somebody notices."""
    polarity = [dialect.inverted] if sign > 0 else []
    tell(generator, *polarity, dialect.levels % (0.8, sign * 0.4), dialect.on)

    volts = dialect.open_circuit(sign * 0.8)
    assert station.pulses == [(pytest.approx(volts), pytest.approx(1e-3), 50.0)]


@pytest.mark.parametrize(
    ("dialect", "how"),
    [(dialect, how) for dialect in DIALECTS for how in dialect.free_running],
    ids=str,
)
def test_a_free_running_generator_acts_at_both_levels(generator, dialect, how, station):
    """The factory setting's danger."""
    tell(generator, how, dialect.levels % (0.8, 0.2), dialect.on)

    both = [dialect.open_circuit(volts) for volts in (-0.2, 0.6)]
    assert station.volts == pytest.approx(both)


def test_nothing_leaves_while_the_output_is_off(generator, dialect, station):
    """Whatever triggers it."""
    tell(generator, dialect.levels % (0.9, 0.45), "*TRG")
    generator.external_trigger()

    assert station.pulses == []


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d.external], ids=str)
def test_the_external_input_fires_only_when_armed_for_it(generator, dialect, station):
    """And ``*TRG`` only when armed by hand."""
    tell(generator, dialect.levels % (0.9, 0.45), dialect.on)
    generator.external_trigger()
    assert station.pulses == []

    tell(generator, dialect.external)
    generator.external_trigger()
    assert len(station.pulses) == 1
    assert tell(generator, "*TRG", ":SYST:ERR?").startswith('-211,"Trigger ignored')
    assert len(station.pulses) == 1


def test_a_burst_is_as_many_pulses_as_asked_for_spaced_by_the_period(generator, dialect, station):
    """The clock says so too."""
    tell(generator, dialect.levels % (0.9, 0.45), dialect.period % "1US", dialect.width % "100NS")
    tell(generator, dialect.count % 4, dialect.on, "*TRG")

    assert len(station.pulses) == 4
    assert station.clock.now == pytest.approx(3 * 1e-6 + 100e-9)


def test_a_pulse_reaches_the_routed_cell(generator, dialect, station):
    """Through the 50 Ohm source and the path to the cell; no other gets one."""
    tell(generator, dialect.levels % (1, 0.5), dialect.width % "100NS", dialect.on, "*TRG")

    assert np.flatnonzero(station.die.pulses_given).tolist() == [CELL]
    assert station.die.pulses_given[CELL] == 1


TRANSCRIPTS = [
    # client, generator, options, what makes all messages sensible, how many there are
    ("pymeasure", "keysight_81160a", {}, b"", 36),
    ("pymeasure", "keysight_33500b", {"model": "33622A"}, b"SOUR1:VOLT 0.01;:SOUR2:VOLT 0.01", 124),
    ("pymeasure", "tektronix_afg31000", {"model": "AFG31022"}, b"", 3),
    ("qmi", "tektronix_afg31000", {"model": "AFG31022"}, b"", 45),
]
"""With the models that their authors drove: a two-channel 33600A, an AFG31022."""


@pytest.mark.parametrize(
    ("client", "name", "options", "before", "messages"),
    TRANSCRIPTS,
    ids=[f"{client}-{name}" for client, name, *_ in TRANSCRIPTS],
)
def test_it_takes_what_the_tests_of_clients_send(station, client, name, options, before, messages):
    """One fresh instrument per command."""
    sent = rows(f"{client}_{name}_commands")
    assert len(sent) == messages
    for row in sent:
        emulator = load_emulator(name)(station, **options)
        ask(emulator, before)
        reply = ask(emulator, row["message"].encode())
        assert not emulator.errors, row
        assert bool(reply) == (row["reply_expected"] == "yes"), row
