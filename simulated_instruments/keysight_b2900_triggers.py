"""The trigger layers of an emulated B2900: ARM and TRIG, each for transients and acquisitions."""

from collections.abc import Callable
from typing import Any

from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import Parameter, integer, number, word
from simulated_instruments.scpi_smu import ChannelSetting

LAYERS = {"arm": "ARM{1-2}", "trig": "TRIGger{1-2}"}
ACTIONS = {"tran": "TRANsient", "acq": "ACQuire"}
MAX_COUNT = 100_000
SOURCES = word("AINT", "BUS", "TIMer", "INT1", "INT2", "LAN", *(f"EXT{n}" for n in range(1, 15)))
KINDS: dict[str, tuple[str, Parameter, object]] = {
    "source": ("SOURce[:SIGNal]", SOURCES, "AINT"),
    "count": ("COUNt", integer(1, MAX_COUNT), 1),
    "timer": ("TIMer", number("S", 1e-5, 1e5), 1e-5),
    "delay": ("DELay", number("S", 0.0, 1e5), 0.0),
}


def _for_all(layer: str, kind: str) -> Callable[..., None]:
    def change(instrument: Any, channel: int, value: object) -> None:
        instrument.check_channel(channel)
        for action in ACTIONS:
            values = list(instrument.settings[f"{layer}_{action}_{kind}"])
            values[channel - 1] = value
            instrument.settings[f"{layer}_{action}_{kind}"] = tuple(values)

    return change


def _namespace() -> dict[str, Any]:
    members: dict[str, Any] = {}
    for layer, head in LAYERS.items():
        for kind, (tail, parameter, default) in KINDS.items():
            for action, name in ACTIONS.items():
                members[f"{layer}_{action}_{kind}"] = ChannelSetting(
                    f"{head}:{name}:{tail}", parameter, default
                )
            members[f"_{layer}_all_{kind}"] = scpi(f"{head}[:ALL]:{tail}", parameter)(
                _for_all(layer, kind)
            )
    return members


TriggerLayers: Any = type("TriggerLayers", (), _namespace())
"""Settings such as ``trig_acq_count``, a tuple with a value for every channel."""
