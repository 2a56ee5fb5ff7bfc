"""Messages that an instrument may be sent, collected from its driver and its emulator.

For fuzzing (`tests/simulated_instruments/test_random_bytes.py`, `benchmarks/fuzz_emulators.py`):
random bytes alone never get past a parser, mutations of real commands do.
"""

import ast
import random
import re
from importlib import resources

from drivers.catalog import DRIVERS, entry
from simulated_instruments.catalog import EMULATORS

PLACEHOLDER = re.compile(r"%[-+.0-9]*[a-z]|\{[^{}]*\}")
LONGEST = 80
ARGUMENTS = (
    b"0", b"1", b"-1", b"0.5", b"-0.2", b"1e-6", b"20", b"1e999", b"-1e308", b"nan", b"inf", b"",
    b"ON", b"OFF", b"MAX", b"DEF", b"1e-300", b"99999999999999999999", b"1,2,3", b"(@1:3)",
    b"#15abc", b"#9", b'"x"', b"'", b"\xff\x00", b"(1,(2", b"{1,2}", b"nil", b"1V", b"3 MOHM",
)  # fmt: skip
COMMON = (b"*IDN?", b"*RST", b"*CLS", b"*TRG", b"*OPC?", b"*ESR?", b"*STB?", b"SYST:ERR?")


def emulated() -> tuple[str, ...]:
    """Drivers whose emulator takes bytes, not a package's calls."""
    return tuple(n for n in EMULATORS if n in DRIVERS and not DRIVERS[n].package)


def vocabulary(driver: str) -> list[bytes]:
    """Texts of commands in the modules of a driver and of its emulator, as a fuzzer's seeds.

    What is a message and what a word in another string does not matter to a fuzzer.
    """
    found = set(COMMON)
    for target in (entry(driver).target, EMULATORS[driver]):
        package, _, module = target.partition(":")[0].rpartition(".")
        for file in resources.files(package).iterdir():
            if file.name.startswith(module) and file.name.endswith(".py"):
                found |= set(_texts(file.read_text("utf-8")))
    return sorted(found)


def _texts(source: str) -> list[bytes]:
    """String constants as a manual writes commands: options left in, suffixes at their lowest."""
    texts = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            text = re.sub(r"\{(\d+)-\d+\}", r"\1", value)
            text = PLACEHOLDER.sub("1", text).replace("[", "").replace("]", "")
            if 1 < len(text) <= LONGEST and "\n" not in text and ". " not in text:
                texts.append(text.encode("latin-1", "replace"))
    return texts


def mutated(seeds: list[bytes], source: random.Random) -> bytes:
    """One message: one to three commands, each with arguments exchanged or bytes damaged."""
    units = [_mutated_unit(source.choice(seeds), source) for _ in range(source.randint(1, 3))]
    return source.choice((b";", b";:", b",", b"\n", b" ")).join(units)


def _mutated_unit(unit: bytes, source: random.Random) -> bytes:
    change = source.randrange(7)
    argument = source.choice(ARGUMENTS)
    if change == 0:
        return unit
    if change == 1:
        return unit + b" " + argument
    if change == 2:
        return re.sub(rb"[-+.\d]+", lambda _: argument, unit, count=source.randint(1, 3))
    if change == 3:
        return unit.rstrip(b"?") + b"?"
    if change == 4:
        return unit + b"(" + argument + b")"
    place = source.randrange(len(unit) + 1)
    if change == 5:
        return unit[:place]
    return unit[:place] + bytes([source.randrange(256)]) + unit[place + 1 :]
