"""The ``channel`` functions of a 707B, in Python: lists and numbers in, texts out.

After the instrument's help, which says what each does and when it is an error. A refused command
changes nothing. Left out: labels of rows and columns, and scan lists (``scan``).
"""

import math
from collections.abc import Iterable, Iterator

from simulated_instruments.keithley_707b_cards import ROWS, crosspoint_name
from simulated_instruments.keithley_707b_lists import (
    BAD_CHANNEL,
    WRONG_TYPE,
    ChannelError,
    ChannelLists,
    checked_name,
)
from simulated_instruments.keithley_707b_relays import Relays
from simulated_instruments.matrix_paths import Crosspoint
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_format import OutputFormat
from simulated_instruments.tsp_settings import SWITCH_OFF, Settings, choice

LONGEST_DELAY = 100e3
"""Seconds. Ours."""
CLOSED = 1
"""``channel.IND_CLOSED``."""


class Channels:
    """Relays with names, patterns, labels and a connection rule."""

    def __init__(self, relays: Relays, errors: ErrorQueue, output: OutputFormat) -> None:
        self.relays = relays
        self.output = output
        self.patterns: dict[str, tuple[Crosspoint, ...]] = {}
        self.labels: dict[str, Crosspoint] = {}
        self.lists = ChannelLists(relays.cards, self.patterns, self.labels)
        self.settings = Settings(
            {"connectrule": choice(1, 0, 1, 2), "connectsequential": SWITCH_OFF}, errors
        )

    # Relays

    def close(self, channels: object) -> None:
        """``channel.close()``: what is closed already stays so."""
        wanted = self.lists.read(channels)
        self.relays.check_allowed(wanted)
        self.relays.change((), wanted, one_by_one=self._one_by_one)

    def open(self, channels: object) -> None:
        """``channel.open()``."""
        which = self.lists.read(channels, slots=True)
        self.relays.change(which, (), one_by_one=self._one_by_one)

    def exclusive_close(self, channels: object) -> None:
        """``channel.exclusiveclose()``, read as for the whole instrument; ``""`` opens all."""
        wanted = self.lists.read(channels, empty=True)
        self._exclusively(wanted, self.relays.closed)

    def exclusive_slot_close(self, channels: object) -> None:
        """``channel.exclusiveslotclose()``: slots that are not in the list stay as they are."""
        wanted = self.lists.read(channels)
        slots = {slot for slot, _, _ in wanted}
        self._exclusively(wanted, (at for at in self.relays.closed if at[0] in slots))

    def reset(self, channels: object) -> None:
        """``channel.reset()``: open, no delay, label or ban, out of all patterns."""
        which = self.lists.read(channels, slots=True)
        self.relays.change(which, (), one_by_one=self._one_by_one)
        self.relays.forget(which)
        self._forget_names(which)

    def reset_all(self) -> None:
        """``reset()``: all channels, and the settings."""
        self.relays.change(list(self.relays.closed), ())
        self.relays.forbidden.clear()
        self.relays.delays.clear()
        self.patterns.clear()
        self.labels.clear()
        self.settings.reset()

    @property
    def _one_by_one(self) -> bool:
        return bool(self.settings["connectsequential"])

    def _exclusively(self, wanted: list[Crosspoint], rivals: Iterable[Crosspoint]) -> None:
        self.relays.check_allowed(wanted)
        keep = set(wanted)
        self.relays.change(
            [at for at in rivals if at not in keep],
            wanted,
            rule=int(self.settings["connectrule"]),
            one_by_one=self._one_by_one,
        )

    # Questions

    def closed(self, channels: object) -> str | None:
        """``channel.getclose()``: sorted, with semicolons; nil if nothing is closed."""
        which = self.relays.closed.intersection(self.lists.read(channels, slots=True))
        return ";".join(map(crosspoint_name, sorted(which))) or None

    def state(self, channels: object, mask: float = CLOSED) -> str:
        """``channel.getstate()``."""
        bit = int(self._number(mask, 0, 2**32)) & CLOSED
        which = self.lists.read(channels, slots=True)
        return ",".join(str(bit if at in self.relays.closed else 0) for at in which)

    def count(self, channels: object) -> str:
        """``channel.getcount()``: closures since power-on, as of most cards."""
        which = self.lists.read(channels, slots=True)
        return ",".join(str(self.relays.counts.get(at, 0)) for at in which)

    def kind(self, channels: object) -> str:
        """``channel.gettype()``: all are switches."""
        return ",".join("1" for _ in self.lists.read(channels, slots=True))

    def specifier(self, slot: float, row: float, column: float) -> str:
        """``channel.createspecifier()``."""
        place = [int(self._number(value, 1, 99)) for value in (slot, row, column)]
        letter = ROWS[place[1] - 1] if place[1] <= len(ROWS) else "?"
        return crosspoint_name(self.lists.channel(f"{place[0]}{letter}{place[2]:02d}"))

    # Delays, bans, labels

    def set_delay(self, channels: object, delay: float) -> None:
        """``channel.setdelay()``, in seconds."""
        which = self.lists.read(channels, slots=True, patterns=False)
        self.relays.set_delay(which, self._number(delay, 0, LONGEST_DELAY))

    def delay(self, channels: object) -> str:
        """``channel.getdelay()``."""
        which = self.lists.read(channels, slots=True, patterns=False)
        return ",".join(self.output.number(self.relays.delays.get(at, 0.0)) for at in which)

    def set_forbidden(self, channels: object) -> None:
        """``channel.setforbidden()``; what is closed stays closed (ours)."""
        which = self.lists.read(channels, slots=True, patterns=False)
        self.relays.forbidden.update(which)
        self._forget_patterns(which)

    def clear_forbidden(self, channels: object) -> None:
        """``channel.clearforbidden()``."""
        which = self.lists.read(channels, slots=True, patterns=False)
        self.relays.forbidden.difference_update(which)

    def forbidden(self, channels: object) -> str:
        """``channel.getforbidden()``; empty if none is."""
        which = self.lists.read(channels, slots=True)
        return ",".join(crosspoint_name(at) for at in which if at in self.relays.forbidden)

    def set_label(self, channel: object, label: object) -> None:
        """``channel.setlabel()``; an empty one, or one that begins with a space, removes it."""
        which = self.lists.read(channel, patterns=False)
        if len(which) != 1:
            raise ChannelError("Parameter error: one channel expected")
        if isinstance(label, str) and label[:1] in ("", " "):
            self._forget_labels(which)
            return
        name = checked_name(
            label, lambda new: new in self.patterns or new in self.labels, "channel"
        )
        self._forget_labels(which)
        self.labels[name] = which[0]

    def label(self, channels: object) -> str:
        """``channel.getlabel()``: the channel's own name where there is no label."""
        names = {at: name for name, at in self.labels.items()}
        which = self.lists.read(channels, slots=True, patterns=False)
        return ",".join(names.get(at, crosspoint_name(at)) for at in which)

    # Patterns

    def set_pattern(self, channels: object, name: object) -> None:
        """``channel.pattern.setimage()``."""
        which = self.lists.read(channels, empty=True)
        self.relays.check_allowed(which)
        self.patterns[checked_name(name, self.labels.__contains__, "pattern")] = tuple(which)

    def snapshot(self, name: object) -> None:
        """``channel.pattern.snapshot()``: what is closed now."""
        name = checked_name(name, self.labels.__contains__, "pattern")
        self.patterns[name] = tuple(sorted(self.relays.closed))

    def pattern(self, names: object) -> str:
        """``channel.pattern.getimage()``: commas within a pattern, semicolons between."""
        images = [self.patterns[name] for name in self._pattern_names(names)]
        return ";".join(",".join(map(crosspoint_name, image)) for image in images)

    def delete_pattern(self, name: object) -> None:
        """``channel.pattern.delete()``."""
        (only,) = self._pattern_names(name)[:1]
        del self.patterns[only]

    def catalog(self) -> Iterator[str]:
        """``channel.pattern.catalog()``: patterns may be deleted on the way."""
        return iter(list(self.patterns))

    def _pattern_names(self, names: object) -> list[str]:
        if not isinstance(names, str):
            raise ChannelError("Data type error: name expected", WRONG_TYPE)
        found = [name.strip() for name in names.split(",")]
        if missing := [name for name in found if name not in self.patterns]:
            raise ChannelError(f"Parameter error: there is no pattern {missing[0][:19]!r}")
        return found

    # Pseudocards

    def forget_card(self, slot: int) -> None:
        """A card is gone, and its channels' names with it."""
        self._forget_names(self.relays.remove_card(slot))

    def _forget_names(self, which: Iterable[Crosspoint]) -> None:
        gone = set(which)
        self._forget_patterns(gone)
        self._forget_labels(gone)

    def _forget_patterns(self, which: Iterable[Crosspoint]) -> None:
        gone = set(which)
        for name in [name for name, image in self.patterns.items() if gone.intersection(image)]:
            del self.patterns[name]

    def _forget_labels(self, which: Iterable[Crosspoint]) -> None:
        gone = set(which)
        for name in [name for name, at in self.labels.items() if at in gone]:
            del self.labels[name]

    def _number(self, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ChannelError("Data type error: number expected", WRONG_TYPE)
        if not math.isfinite(value) or not least <= value <= most:
            raise ChannelError(f"Parameter error: {value:g} is out of range", BAD_CHANNEL)
        return float(value)
