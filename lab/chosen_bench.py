"""What the shared options stand for: the bench that a command was told to use, and its dies."""

from dataclasses import dataclass
from pathlib import Path

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from lab.configuration import BUILT_IN, BenchConfiguration, meant, read_configuration
from lab.parameters import build
from protocols.catalog import PROTOCOLS


@dataclass(frozen=True, kw_only=True)
class ChosenBench:
    """The bench a command was told to use, not opened yet."""

    configuration: BenchConfiguration
    source: str

    @property
    def is_simulated(self) -> bool:
        """Whether the file has a [simulation] table."""
        return self.configuration.simulation is not None

    @property
    def wafer(self) -> str:
        """Name of its wafer in the database."""
        return self.configuration.wafer.name


def chosen_bench(bench: Path | None, simulated: bool, seed: int | None = None) -> ChosenBench:
    """Read the bench file, or a built-in bench: that of MTJs for ``--simulated``, that of a
    technology for its name in place of a file.

    A simulated wafer of another seed is another wafer, so the seed becomes part of its name.
    Raises ConfigurationError where neither or both were given.
    """
    if bench is not None and simulated and str(bench) not in BUILT_IN:
        raise ConfigurationError("Give --bench FILE or --simulated, not both.")
    if bench is None and not simulated:
        bench = Path("bench.toml")
        if not bench.exists():
            raise ConfigurationError(
                "No bench: give --simulated, or --bench FILE. `lab init` writes a bench.toml to "
                "start from, which is then found by itself."
            )
    configuration, source = read_configuration(bench)
    _check_protocols(configuration, source)
    if configuration.simulation is not None:
        chosen = configuration.simulation.seed if seed is None else seed
        configuration = configuration.model_copy(
            update={
                "simulation": configuration.simulation.model_copy(update={"seed": chosen}),
                "wafer": configuration.wafer.model_copy(
                    update={"name": f"{configuration.wafer.name}-{chosen}"}
                ),
            }
        )
    return ChosenBench(configuration=configuration, source=source)


def _check_protocols(configuration: BenchConfiguration, source: str) -> None:
    """Raise ConfigurationError for a table of no protocol, which nobody would ever look at, and for
    parameters that a protocol does not take, before it is its turn.
    """
    for name, values in configuration.protocols.items():
        table = f"{source} [protocols.{name}]"
        if name not in PROTOCOLS:
            raise ConfigurationError(
                f"{table}: there is no such protocol; {meant(name, PROTOCOLS)}"
            )
        build(PROTOCOLS[name].parameters, (table, values))


def wafer_named(bench: Path | None, simulated: bool, seed: int | None) -> str | None:
    """Name of the wafer that these options mean, or None where neither bench was given."""
    return chosen_bench(bench, simulated, seed).wafer if bench or simulated else None


def parse_dies(
    text: str | None, available: list[DieAddress], option: str = "--dies"
) -> list[DieAddress]:
    """Read ``--dies``: "all", a number (the first so many), or "x,y x,y ...".

    Raises ConfigurationError naming a die that the wafer map does not have.
    """
    if text is None or text == "all":
        return available
    if text.isdigit():
        if not 1 <= int(text) <= len(available):
            raise ConfigurationError(
                f"{option} {text}: the wafer map has {len(available)} dies; ask for 1 to "
                f"{len(available)}, or for all."
            )
        return available[: int(text)]
    try:
        dies = [DieAddress(*(int(part) for part in pair.split(","))) for pair in text.split()]
    except (ValueError, TypeError):
        dies = []
    if not dies:
        raise ConfigurationError(
            f"{option} {text!r}: write all, a number of dies, or places like '0,0 1,0'."
        )
    for die in dies:
        if die not in available:
            raise ConfigurationError(
                f"{option} {text!r}: the wafer map has no die {die}; it has {len(available)} dies."
            )
        if dies.count(die) > 1:
            raise ConfigurationError(f"{option} {text!r} names die {die} twice; name it once.")
    return dies


def parse_die(text: str, available: list[DieAddress]) -> DieAddress:
    """Read ``--die``: "x,y". Raises ConfigurationError as `parse_dies`, and for more than one."""
    places = parse_dies(text, available, "--die") if "," in text else []
    if len(places) != 1:
        raise ConfigurationError(f"--die {text!r}: write the place of one die, such as 0,0.")
    return places[0]
