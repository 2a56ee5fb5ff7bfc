"""The settings of an emulated B2900's trigger layers: ARM and TRIGger, for transients and readings.

After the SCPI command reference (B2910-90030) and the user's guide (page 6-27); bypass and outputs
as the sister instrument B2985A has them. Left out: trigger outputs and LAN events (kept, to no
effect), so a layer that waits for INT1, INT2 or LAN waits until a command lets it go.
"""

from collections.abc import Callable
from typing import Any

from simulated_instruments.keysight_b2900_settings import Level, Numbers
from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import Parameter, ScpiError, boolean, word
from simulated_instruments.scpi_smu import ChannelSetting

LAYERS = {"arm": "ARM", "trig": "TRIGger"}
ACTIONS = {"tran": "TRANsient", "acq": "ACQuire"}
MOST = 100_000
INTERNAL = ("AINT", "TIM")
PINS = tuple(f"EXT{pin}" for pin in range(1, 15))
SOURCES = word("AINT", "BUS", "TIMer", "INT1", "INT2", "LAN", *PINS)
CHOICES: dict[str, tuple[str, Parameter, object]] = {
    "source": ("SOURce[:SIGNal]", SOURCES, "AINT"),
    "lan": ("SOURce:LAN", word(*(f"LAN{line}" for line in range(8))), "LAN0"),
    "bypass": ("BYPass", word("ONCE", "OFF"), "OFF"),
    "output": ("TOUTput[:STATe]", boolean, False),
    "signal": ("TOUTput:SIGNal", word("INT1", "INT2", "LAN", *PINS), "EXT1"),
}
"""What follows a layer's header, what it takes, and its default (not confirmed for the last)."""
COUNTS = Numbers("", 1, MOST, 1, whole=True, endless=True)
NUMBERS = {
    "count": ("COUNt", COUNTS),
    "timer": ("TIMer", Numbers("S", 1e-5, 1e5, 1e-5)),
    "delay": ("DELay", Numbers("S", 0.0, 1e5, 0.0)),
}


def _for_all(layer: str, kind: str) -> Callable[..., None]:
    def change(instrument: Any, channel: int, value: object) -> None:
        instrument.check_channel(channel)
        before = dict(instrument.settings)
        for action in ACTIONS:
            values = list(instrument.settings[f"{layer}_{action}_{kind}"])
            values[channel - 1] = value
            instrument.settings[f"{layer}_{action}_{kind}"] = tuple(values)
        try:
            instrument.check_settings()
        except ScpiError:
            instrument.settings = before
            raise

    return change


def _namespace() -> dict[str, Any]:
    members: dict[str, Any] = {}
    for layer, name in LAYERS.items():
        head = name + "{1-2}"
        for action, tail in ACTIONS.items():
            for kind, (word_, parameter, default) in CHOICES.items():
                members[f"{layer}_{action}_{kind}"] = ChannelSetting(
                    f"{head}:{tail}:{word_}", parameter, default
                )
            for kind, (word_, numbers) in NUMBERS.items():
                members[f"{layer}_{action}_{kind}"] = Level(f"{head}:{tail}:{word_}", numbers)
        for kind, (word_, parameter, _) in CHOICES.items():
            members[f"_{layer}_all_{kind}"] = scpi(f"{head}[:ALL]:{word_}", parameter)(
                _for_all(layer, kind)
            )
        for kind, (word_, numbers) in NUMBERS.items():
            members[f"_{layer}_all_{kind}"] = scpi(f"{head}[:ALL]:{word_}", numbers.read)(
                _for_all(layer, kind)
            )
    return members


TriggerLayers: Any = type("TriggerLayers", (), _namespace())
"""Settings such as ``trig_acq_count``, a tuple with a value for every channel."""
