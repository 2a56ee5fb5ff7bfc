import pytest

from simulated_instruments.bnc_577 import EmulatedBNC577

SETUP = (
    b":PULSE0:MODE SING", b":PULSE1:OUTP:MODE ADJ", b":PULSE1:OUTP:AMPL 3", b":PULSE1:WIDT 2e-7",
)  # fmt: skip
ON = b":PULSE1:STATE ON"
RUN = b":PULSE0:STATE ON"


@pytest.fixture
def generator(station):
    emulator = EmulatedBNC577(station)
    assert ask(emulator, *SETUP) == ["ok"] * len(SETUP)
    return emulator


def ask(emulator, *messages):
    for message in messages:
        emulator.receive(message + b"\r\n")
    replies = b"".join(emulator.replies)
    emulator.replies.clear()
    assert not replies or replies.endswith(b"\r\n")
    return replies.decode().split("\r\n")[:-1]


def test_set_running_in_single_shot_mode_it_sends_one_pulse(generator, station):
    assert ask(generator, ON, RUN) == ["ok", "ok"]

    assert station.pulses == [(3.0, pytest.approx(2e-7), 50.0)]


@pytest.mark.parametrize(
    "before",
    [
        b":PULSE1:STATE OFF",
        b":PULSE0:TRIG:MODE TRIG",
        b":PULSE1:MUX 2",
        b":PULSE0:GATE:MODE PULS",
    ],
)
def test_what_keeps_the_output_quiet(generator, station, before):
    assert ask(generator, ON, before, RUN) == ["ok"] * 3

    assert station.pulses == []


def test_every_trigger_sends_one_pulse_while_it_runs(generator, station):
    """From the input, and by ``*TRG``."""
    assert ask(generator, ON, b":PULSE0:TRIG:MODE TRIG", b"*TRG") == ["ok", "ok", "?8"]
    generator.external_trigger()
    assert station.pulses == []
    assert ask(generator, RUN, b"*TRG") == ["ok", "ok"]
    generator.external_trigger()
    ask(generator, b":PULSE0:STATE OFF")
    generator.external_trigger()

    assert len(station.pulses) == 2


def test_a_burst_is_counted_and_spaced_by_the_period(generator, station):
    ask(generator, b":PULSE0:MODE BURST", b":PULSE0:BCOUNTER 5", b":PULSE0:PER 1E-5", ON, RUN)

    assert len(station.pulses) == 5
    assert station.clock.now == pytest.approx(4e-5 + 5 * 2e-7)


def test_in_normal_mode_it_runs_freely(generator, station):
    """What a driver must never leave on."""
    ask(generator, b":PULSE0:MODE NORM", b":PULSE0:PERIOD 1e-4", ON, RUN)

    assert len(station.pulses) == 10


def test_inverted_the_output_idles_at_the_high_level(generator, station):
    ask(generator, b":PULSE1:POL INV", ON)

    assert station.pulses == [(3.0, 1e-3, 50.0)]


def test_ttl_outputs_have_their_own_level(generator, station):
    ask(generator, b":PULS1:OUTP:MOD TTL", ON, RUN)

    assert station.volts == [4.0]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (b"PULSE0:STATE ON", "?1"),
        (b":", "?2"),
        (b"*", "?2"),
        (b":PULSE0:NONSENSE 1", "?3"),
        (b":PULSE9:STATE ON", "?3"),
        (b":PULSE1", "?3"),
        (b"*CLS", "?3"),
        (b":PULSE1:WIDTH", "?4"),
        (b":PULSE1:WIDTH 1e-9", "?5"),
        (b":PULSE1:WIDTH nan", "?5"),
        (b":PULSE1:OUTP:AMPL 21", "?5"),
        (b":PULSE1:OUTP:AMPL 1.9", "?5"),
        (b":PULSE0:STATE ON;:PULSE1:STATE ON", "?5"),
        (b"*IDN", "?6"),
        (b"*RST?", "?7"),
        (b"*TRG", "?8"),
    ],
)
def test_errors_are_answers(generator, station, message, answer):
    assert ask(generator, message) == [answer]
    assert station.pulses == []


def test_settings_read_back_in_steps(generator):
    assert ask(generator, b":PULSE1:WIDTH 33.1e-9", b":PULSE1:WIDTH?") == ["ok", "0.00000003300"]
    assert ask(generator, b":PULSE1:OUTP:AMPL 3.333", b":PULSE1:OUTP:AMPL?")[1].startswith(
        "3.33000"
    )


# From published drivers and scripts for the 575 and 577, Blackchirp's among them.
PUBLISHED = [
    b":SPUL:TRIG:MOD DIS", b":SPUL:MOD NORM", b":PULS1:OUTP:AMPL 4.0", b":PULS1:WIDT 2e-7",
    b":PULS3:STAT OFF", b":SPUL:PER 0.100000 ", b":SPUL:STAT OFF", b":PULS1:DEL 0",
    b":PULSE0:ICLOCK SYS", b":PULSE0:PCOUNTER 5", b":PULSE0:OCOUNTER 5", b":PULSE0:TRIG:LEV 2.5",
    b":PULSE0:GATE:MODE DIS", b":PULSE1:SYNC T0", b":PULS2:SYNC CHA", b":PULSE1:POLARITY NORM",
    b":PULSE1:STATE 1", b":PULSE1:CMODE DCYC", b":PULSE1:PCO 2", b":PULSE1:OCO 3",
    b":PULS0:MOD SINGLE", b":PULS1:CGAT LOW", b":PULS1:CMOD BURS", b":PULS1:BCO 7", b"*ARM",
    b":INST:NSEL 1", b":PULSE:WIDTH 1e-6",
]  # fmt: skip


def test_published_drivers_are_understood(generator):
    for message in PUBLISHED:
        assert ask(generator, message) == ["ok"], message
    assert ask(generator, b":INST:NSEL?", b":PULSE:CMOD?", b":PULSE2:SYNC?", b":PULSE1:POL?") == [
        "1", "BURS", "CHA", "NORM",
    ]  # fmt: skip
    assert ask(generator, b":INST:CAT?", b":INST:FULL?", b":DISP:UPD?") == [
        "T0,CHA,CHB,CHC,CHD", "T0,0,CHA,1,CHB,2,CHC,3,CHD,4", "0",
    ]  # fmt: skip


def test_restored_defaults_stop_it_with_all_channels_off(generator, station):
    ask(generator, b":PULSE0:TRIG:MODE TRIG", ON, RUN, b"*RST")
    generator.external_trigger()

    assert station.pulses == []
    assert ask(generator, b":PULSE0:STATE?", b":PULSE1:STATE?", b":PULSE1:OUTP:MODE?") == [
        "0", "0", "TTL",
    ]  # fmt: skip
