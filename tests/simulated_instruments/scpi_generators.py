"""The SCPI pulse generators, and how each is told what all of them can do."""

from dataclasses import dataclass

from simulated_instruments.catalog import load_emulator
from tests.simulated_instruments.scpi_messages import ask


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The messages of one generator; ``%`` stands for values."""

    name: str
    """As the catalog has it."""
    identity: tuple[str, str]
    """Maker and model that it answers with."""
    setup: str
    """After *RST: each trigger by command is to be one pulse from 0 V."""
    assumed_load: float
    """Ohms that the levels refer to after the setup."""
    load: str
    levels: str = ":VOLT %g;:VOLT:OFFS %g"
    """Amplitude and offset."""
    width: str
    period: str = ":PULS:PER %s"
    count: str = ":TRIG:COUN %d"
    inverted: str = ":OUTP1:POL INV"
    on: str = ":OUTP1 ON"
    free_running: tuple[str, ...]
    """Each makes pulses follow each other without a trigger."""
    external: str | None = ":ARM:SOUR EXT"
    """Only the external input triggers; None where nothing excludes the trigger by command."""

    def __str__(self) -> str:
        return self.name

    def open_circuit(self, volts: float) -> float:
        """What programmed volts are behind 50 Ohm, without a load."""
        return volts * (1 + 50 / self.assumed_load)

    def generator(self, station, **options):
        """Set up, with all outputs off."""
        emulator = load_emulator(self.name)(station, **options)
        emulator.receive(b"*CLS;*RST\n")
        tell(emulator, self.setup)
        assert not emulator.errors
        return emulator


def tell(generator, *parts):
    """Send parts of a message as one."""
    return ask(generator, ";".join(parts).encode())


KEYSIGHT_81160A = Dialect(
    name="keysight_81160a",
    identity=("Agilent Technologies", "81160A"),
    setup=":FUNC PULS;:FUNC:PULS:TRAN 1NS;TRAN:TRA 1NS;:ARM:SOUR MAN;:OUTP:LOAD 1E6",
    assumed_load=1e6,
    load=":OUTP1:LOAD %g",
    levels=":VOLT1 %g;:VOLT1:OFFS %g",
    width=":PULS:WIDT1 %s",
    free_running=(":ARM:SOUR IMM",),
)
KEYSIGHT_81110A = Dialect(
    name="keysight_81110a",
    identity=("HEWLETT-PACKARD", "HP81110A"),
    setup=":ARM:SOUR MAN;:OUTP1:IMP:EXT 999E3",
    assumed_load=999e3,
    load=":OUTP1:IMP:EXT %g",
    levels=":VOLT1 %g;:VOLT1:OFF %g",
    width=":PULS:WIDT1 %s",
    free_running=(":ARM:SOUR IMM",),
)
KEYSIGHT_33500B = Dialect(
    name="keysight_33500b",
    identity=("Agilent Technologies", "33522B"),
    setup=":FUNC PULS;:OUTP1:LOAD INF;:BURS:STAT ON;:BURS:NCYC 1;:TRIG1:SOUR BUS",
    assumed_load=float("inf"),
    load=":OUTP1:LOAD %g",
    width=":FUNC:PULS:WIDT %s",
    period=":FUNC:PULS:PER %s",
    count=":BURS:NCYC %d",
    free_running=(":BURS:STAT OFF", ":TRIG1:SOUR IMM", ":TRIG1:SOUR TIM"),
    external=":TRIG1:SOUR EXT",
)
TEKTRONIX_AFG31000 = Dialect(
    name="tektronix_afg31000",
    identity=("TEKTRONIX", "AFG31152"),
    setup=":FUNC PULS;:OUTP1:IMP INF;:BURS:STAT ON;:BURS:NCYC 1;:BURS:IDLE END;:TRIG:SOUR EXT",
    assumed_load=float("inf"),
    load=":OUTP1:IMP %g",
    width=":PULS:WIDT %s",
    count=":BURS:NCYC %d",
    on="*TRG;:OUTP1:STAT ON",  # the first burst, which nobody sees, ends at the idle level
    free_running=(":BURS:STAT OFF", ":TRIG:SOUR TIM"),
    external=None,
)
DIALECTS = (KEYSIGHT_81160A, KEYSIGHT_81110A, KEYSIGHT_33500B, TEKTRONIX_AFG31000)
