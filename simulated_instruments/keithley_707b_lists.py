"""Channel lists of a 707B: ``1A01, 2B03:2B07, slot3, myPattern`` as crosspoints.

A list is read to its end before anything moves: one item that is wrong refuses it whole. The code
1115 and the texts are ours: the instrument's help gives none. Ours as well: names and slots are
taken in either case, a range runs from the lower to the higher channel and may cross slots.
"""

import re
from collections.abc import Callable, Mapping

from simulated_instruments.keithley_707b_cards import ROWS, Card
from simulated_instruments.matrix_paths import Crosspoint

BAD_CHANNEL, WRONG_TYPE, CONFLICT = 1115, -104, -221
CHANNEL = re.compile(r"(\d)([A-Z]|\d)(\d\d)", re.ASCII | re.IGNORECASE)
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
SLOT = re.compile(r"slot(\d)", re.ASCII | re.IGNORECASE)
ALL_SLOTS = "allslots"
LONGEST_NAME = 19
MOST_ITEMS = 10_000
"""Ours: far above all channels that an instrument has."""


class ChannelError(Exception):
    """Why a list or a name is refused: for the error queue."""

    def __init__(self, message: str, code: int = BAD_CHANNEL) -> None:
        super().__init__(message)
        self.code = code


class ChannelLists:
    """Reads lists against the cards that are there and the names that were given."""

    def __init__(
        self,
        cards: Mapping[int, Card],
        patterns: Mapping[str, tuple[Crosspoint, ...]],
        labels: Mapping[str, Crosspoint],
    ) -> None:
        self.cards = cards
        self.patterns = patterns
        self.labels = labels

    def read(
        self, text: object, *, slots: bool = False, patterns: bool = True, empty: bool = False
    ) -> list[Crosspoint]:
        """The crosspoints in the order of the list, each once; or ChannelError.

        ``slots`` and ``patterns`` say whether such items are allowed, ``empty`` whether nothing is.
        """
        if not isinstance(text, str):
            raise ChannelError("Data type error: channel list expected", WRONG_TYPE)
        if not text.strip():
            if empty:
                return []
            raise ChannelError("Parameter error: empty channel list")
        # Commas; but what channel.getclose() answers, with semicolons, is a list as well.
        items = [item.strip() for item in text.replace(";", ",").split(",")]
        if len(items) > MOST_ITEMS:
            raise ChannelError("Parameter error: channel list is too long")
        found: dict[Crosspoint, None] = {}
        for item in items:
            found |= dict.fromkeys(self._item(item, slots=slots, patterns=patterns))
        return list(found)

    def _item(self, item: str, *, slots: bool, patterns: bool) -> list[Crosspoint]:
        if item.lower() == ALL_SLOTS or SLOT.fullmatch(item):
            if not slots:
                raise ChannelError(f"Parameter error: {item} is not allowed here")
            return self._slots(item.lower())
        if item in self.patterns:
            if not patterns:
                raise ChannelError(f"Parameter error: pattern {item} is not allowed here")
            return list(self.patterns[item])
        first, colon, last = (part.strip() for part in item.partition(":"))
        if not colon:
            return [self.channel(item)]
        return self._between(self.channel(first), self.channel(last))

    def channel(self, item: str) -> Crosspoint:
        """One channel by its name or label, or ChannelError."""
        if item in self.labels:
            return self.labels[item]
        match = CHANNEL.fullmatch(item)
        if match is None:
            raise ChannelError(f"Parameter error: {item[:LONGEST_NAME]} is not a channel")
        slot, row, column = int(match[1]), match[2].upper(), int(match[3])
        if row.isdigit():
            row = ROWS[int(row) - 1] if 1 <= int(row) <= len(ROWS) else "?"
        card = self.cards.get(slot)
        if card is None:
            raise ChannelError(f"Parameter error: {item}: slot {slot} is empty")
        if row not in ROWS[: card.kind.rows] or not 1 <= column <= card.kind.columns:
            raise ChannelError(f"Parameter error: {item} is not on the card in slot {slot}")
        return slot, row, column

    def _between(self, first: Crosspoint, last: Crosspoint) -> list[Crosspoint]:
        if last < first:
            raise ChannelError("Parameter error: channel range runs backwards")
        everything = (at for slot in sorted(self.cards) for at in self.cards[slot].crosspoints())
        return [at for at in everything if first <= at <= last]

    def _slots(self, item: str) -> list[Crosspoint]:
        wanted = sorted(self.cards) if item == ALL_SLOTS else [int(item[-1])]
        found = [
            at for slot in wanted if slot in self.cards for at in self.cards[slot].crosspoints()
        ]
        if not found:
            raise ChannelError(f"Parameter error: {item} has no channels")
        return found


def checked_name(name: object, taken: Callable[[str], bool], what: str) -> str:
    """A name for a pattern or a label that is allowed and free, or ChannelError."""
    if not isinstance(name, str):
        raise ChannelError("Data type error: name expected", WRONG_TYPE)
    reserved = name.lower() == ALL_SLOTS or SLOT.fullmatch(name)
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or reserved:
        raise ChannelError(f"Parameter error: {name[:LONGEST_NAME]!r} cannot name a {what}")
    if taken(name):
        raise ChannelError(f"Settings conflict: {name} is a name already", CONFLICT)
    return name
