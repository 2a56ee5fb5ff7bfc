import math

import pytest

from simulated_instruments.picosecond_10070a import EmulatedPicosecond10070A

SETUP = b"header off\ntrigger GPIB\n"


@pytest.fixture
def generator(station):
    emulator = EmulatedPicosecond10070A(station)
    emulator.receive(SETUP)
    assert emulator.status_byte() == 0
    return emulator


def ask(emulator, *messages):
    for message in messages:
        emulator.receive(message + b"\n")
    reply = b"".join(emulator.replies)
    emulator.replies.clear()
    return reply.decode()


def test_trg_sends_one_pulse_of_twice_the_volts_into_50_ohm(generator, station):
    """The display refers to a 50 Ohm load behind 50 Ohm."""
    ask(generator, b"amplitude 0.75", b"duration 1e-9", b"enable", b"*TRG")

    assert station.pulses == [(pytest.approx(1.5), pytest.approx(1e-9), 50.0)]


def test_the_sign_of_the_amplitude_is_the_polarity(generator, station):
    ask(generator, b"AMPL -7.5e-2", b"ENAB", b"*trg")

    assert station.pulses == [(pytest.approx(-0.15), pytest.approx(1e-9), 50.0)]


@pytest.mark.parametrize(
    ("asked", "made"),
    [(b"7.5", 7.5), (b"1", 0.9442), (b"0.944", 0.9442), (b"-0.88", -0.8415), (b"6.7e-4", 6.684e-4)],
)
def test_amplitudes_come_in_steps_of_a_decibel(generator, asked, made):
    """Auspex's documentation asks for 0.944 V, which is 18 dB below 7.5 V."""
    assert float(ask(generator, b"amplitude " + asked, b"amplitude?")) == pytest.approx(
        made, rel=1e-3
    )


def test_the_duration_comes_in_steps_of_2_5_picoseconds(generator):
    assert float(ask(generator, b"duration 1.2342e-9", b"duration?")) == pytest.approx(1.235e-9)


@pytest.mark.parametrize("before", [b"disable", b"enable NO", b"trigger EXT", b"gate ON"])
def test_a_trigger_that_should_not_fire_does_not(generator, station, before):
    ask(generator, b"enable", before, b"*TRG")

    assert station.pulses == []


def test_the_external_input_fires_when_it_is_the_source(generator, station):
    generator.external_trigger()
    ask(generator, b"enable", b"trigger EXT")
    generator.external_trigger()
    ask(generator, b"trigger GPIB")
    generator.external_trigger()

    assert len(station.pulses) == 1


def test_the_internal_clock_runs_freely_while_the_output_is_enabled(generator, station):
    """What a driver must never leave on."""
    ask(generator, b"period 1e-4", b"trigger INT")
    assert station.pulses == []
    ask(generator, b"enable")

    assert len(station.pulses) == 10


def test_an_offset_acts_on_the_cell_between_the_pulses(generator, station):
    ask(generator, b"offset 0.25", b"enable")

    assert station.pulses == [(pytest.approx(0.5), 1e-3, 50.0)]


def test_the_limit_is_the_amplitude_that_was_set_when_it_was_switched_on(generator):
    """For both signs."""
    ask(generator, b"amplitude 0.75", b"limit on", b"amplitude 0.1", b"amplitude -0.7")
    assert generator.status_byte() == 0
    for beyond in (b"amplitude 1", b"amplitude -1"):
        ask(generator, beyond)
        assert generator.status_byte() == 0x10
    assert float(ask(generator, b"amplitude?")) == pytest.approx(-0.668, rel=1e-3)
    ask(generator, b"LIM OFF", b"amplitude 1")
    assert generator.status_byte() == 0


@pytest.mark.parametrize(
    ("message", "bit"),
    [
        (b"amplitude 8", 0x10),
        (b"amplitude 0", 0x10),
        (b"amplitude 1e-4", 0x10),
        (b"duration 11e-9", 0x10),
        (b"trigger sometimes", 0x10),
        (b"amplitude much", 0x20),
        (b"polarity NEG", 0x20),
        (b"SYST:ERR?", 0x20),
    ],
)
def test_errors_show_in_the_status_byte_until_it_is_polled(generator, message, bit):
    assert ask(generator, message) == ""
    assert generator.status_byte() == bit
    assert generator.status_byte() == 0


def test_with_headers_on_a_reply_repeats_its_keyword(generator):
    """As after power-on."""
    assert ask(generator, b"enable?", b"trigger?") == "NO\nGPIB\n"
    assert ask(generator, b"header on", b"enable?", b"trigger?") == "ENABLE NO\nTRIGGER GPIB\n"


def test_period_and_frequency_are_one_setting(generator):
    assert float(ask(generator, b"frequency 3578", b"period?")) == pytest.approx(279.5e-6, rel=1e-3)


def test_restored_defaults_leave_the_output_disabled(generator, station):
    ask(generator, b"enable", b"limit on", b"*RST", b"*TRG")

    assert station.pulses == []
    assert ask(generator, b"header off", b"enable?", b"limit?") == "NO\nOFF\n"


def test_the_relays_of_the_attenuator_take_their_time(generator, station):
    before = station.clock.now
    ask(generator, b"amplitude 0.1", b"duration 2e-9", b"amplitude 0.1")

    assert station.clock.now - before == pytest.approx(30e-3)


# From published drivers of the 10,070A and of the 10,060A (BBN's Auspex and QLab among them).
PUBLISHED = [
    b"header off", b"trigger GPIB", b"HEAD OFF", b"*RST", b"header off", b"AMPL 2", b"DUR 1e-9",
    b"OFFS 0", b"PER 1e-3", b"TRIG MAN", b"TRIG INT", b"ENAB", b"DIS", b"DUR 1.000000E-09",
    b"AMPL 1.000000E+00", b"LIM ON", b"LIM OFF", b"FREQ 1.000000E+03", b"DEL 1.0E-09",
    b"LEV 1.000E-01", b"SLOP NEG", b"GATE ON", b"GATE OFF", b"HYST OFF", b"enable YES",
    b"enable NO", b"amplitude -7.5e-2", b"frequency 671", b"duration 5.000000E-09", b"TRIG GPIB",
    b"*TRG",
]  # fmt: skip


def test_published_drivers_are_understood(generator):
    for message in PUBLISHED:
        assert ask(generator, message) == ""
        assert generator.status_byte() == 0, message
    for query in (b"DUR?", b"AMPL?", b"FREQ?", b"PER?", b"DEL?", b"LEV?", b"OFFS?"):
        assert math.isfinite(float(ask(generator, query)))
    assert ask(generator, b"SLOP?", b"TRIG?", b"GATE?", b"HYST?", b"ENAB?", b"disable?") == (
        "NEG\nGPIB\nOFF\nOFF\nNO\nYES\n"
    )
