"""Keithley 707B and 708B switch matrices: relays between instruments and the die's lines.

After the help files of both models (Tektronix TSP Toolkit, 2010). Queries are Lua: a reply exists
only after ``print``. Relays switch cold: whoever closes them has outputs off or at 0 V.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import ConfigurationError, InstrumentError, ReplyError
from drivers.identity import identity_asked_once, wrong_instrument
from drivers.protection import Protection
from drivers.tsp_error_queue import raise_reported
from drivers.tsp_link import synchronize

NAME = "Keithley 707B"
ANY_ORDER, BREAK_BEFORE_MAKE, MAKE_BEFORE_BREAK = 0, 1, 2
IDENTITY = re.compile(r"Model\s+(70[78]B)", re.IGNORECASE)
SLOTS = {"707B": 6, "708B": 1}
CHANNEL = re.compile(r"[1-6][A-H]\d\d", re.ASCII)
SIZE = re.compile(r"\b(\d+)x(\d+)\b")
EMPTY_SLOT = "Empty Slot"
NOTHING = "nil"
ALL_CLOSED = 'channel.getclose("allslots")'


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCard:
    """What a slot says about its card."""

    model: str
    """As the instrument writes it: "7174"."""
    rows: int
    columns: int
    pseudo: bool = False
    """Made up by the instrument for a slot without a card: nothing is switched there."""


def _as_integer(value: object) -> int:
    """A reply that must be a number: all numbers are floats here."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        raise ReplyError(
            f"The {NAME} answered {value!r} where a number was expected. Clear the connection and "
            "reopen it."
        ) from None


class Keithley707B(Instrument):
    """One switch matrix with its cards; a `drivers.die_access.selectors.SwitchMatrix`.

    Crosspoints are written ``1A05``: slot, row, column. Construction sends nothing.
    `check_identity` first, then `prepare`. Every change is read back from the instrument, which
    knows what it told its relays, not whether a contact has welded.
    """

    connect_rule = Instrument.control(
        "print(channel.connectrule)",
        "channel.connectrule = %d",
        """Control whether relays open before others close (int, strictly 0 in any order, 1 break
        before make, 2 make before break, which joins instruments for milliseconds).""",
        validator=strict_discrete_set,
        values=(ANY_ORDER, BREAK_BEFORE_MAKE, MAKE_BEFORE_BREAK),
        get_process=_as_integer,
    )
    connect_sequential = Instrument.control(
        "print(channel.connectsequential)",
        "channel.connectsequential = %d",
        """Control whether relays move one at a time (bool); slower.""",
        validator=strict_discrete_set,
        values=(False, True),
        get_process=lambda value: bool(_as_integer(value)),
    )

    def __init__(self, adapter: object, name: str = NAME, **kwargs: object) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    identity = identity_asked_once()

    @property
    def model(self) -> str:
        """ "707B" or "708B". Raises WrongInstrumentError."""
        match = IDENTITY.search(self.identity)
        if match is None:
            raise wrong_instrument(
                self.identity,
                "Keithley 707B or 708B",
                "Correct the address of the switch matrix, or its type.",
            )
        return match[1].upper()

    @property
    def cards(self) -> dict[int, MatrixCard]:
        """The card of every slot that has one, as the instrument says it.

        Its help knows no attribute for rows and columns; they are in the description (``8x12``).
        Raises ReplyError if a description has none, as of cards that are no matrix.
        """
        slots = range(1, SLOTS[self.model] + 1)
        reply = self.ask(f"print({', '.join(f'slot[{slot}].idn' for slot in slots)})").strip()
        descriptions = reply.split("\t")
        if len(descriptions) != len(slots):
            raise ReplyError(f"The {self.name} answered {reply!r} when asked for its cards.")
        return {
            slot: self._card(slot, text)
            for slot, text in zip(slots, descriptions, strict=True)
            if text.strip() not in (EMPTY_SLOT, NOTHING)
        }

    @property
    def closed(self) -> frozenset[str]:
        """The crosspoints that are closed, as the instrument says it."""
        return self._crosspoints(self.ask(f"print({ALL_CLOSED})"))

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a 707B or 708B answers."""
        _ = self.model

    def check_errors(self) -> list[object]:
        """Empty the error queue. Raises ReportedError with all entries, if there were any."""
        raise_reported(self.ask, self.name)
        return []

    def prepare(self) -> None:
        """Open everything and let relays break before they make, read back.

        Raises InstrumentError if the rule did not hold, something stays closed, or there are no
        relays: no card at all, or a pseudocard.
        """
        self.synchronize()
        self.off()
        self.connect_rule = BREAK_BEFORE_MAKE
        self.connect_sequential = False
        self.check_errors()
        if (rule := self.connect_rule) != BREAK_BEFORE_MAKE:
            raise InstrumentError(
                f"The {self.name} was told to break before make, but its connect rule reads back "
                f"as {rule}. Two lines could be joined while it switches: do not use it."
            )
        self._check_cards()

    def synchronize(self) -> None:
        """Bring the link back in step (`tsp_link`)."""
        synchronize(self.write, self.read, self.name)

    def close_only(self, channels: Sequence[str]) -> None:
        """Close these crosspoints and open all others; return when they have settled.

        One message, in which the instrument breaks before it makes and says what is closed then.
        Raises ConfigurationError for what is no crosspoint, before anything is sent; ReportedError
        if the instrument refused, with everything left as it was, or had noted an error before;
        InstrumentError if something else is closed afterwards, with everything opened.
        """
        self._check_names(channels)
        reply = self.ask(
            f'channel.exclusiveclose("{",".join(channels)}") print({ALL_CLOSED}, errorqueue.count)'
        )
        text, _, errors = reply.strip().partition("\t")
        if _as_integer(errors):
            self.check_errors()
        found = self._crosspoints(text)
        if found != frozenset(channels):
            self.off()
            raise InstrumentError(
                f"The {self.name} was asked to close {_listed(channels)} and nothing else, but says"
                f" that {_listed(found)} is closed. Everything was opened. Was it set by hand or "
                "by another program meanwhile?"
            )

    def protections(self) -> tuple[Protection, ...]:
        """The connect rule, read back: 1 is break before make."""
        rule = self.connect_rule
        return (
            Protection(
                name="break before make",
                value=float(rule),
                unit="",
                in_force=rule == BREAK_BEFORE_MAKE,
            ),
        )

    def off(self) -> None:
        """Open everything, which is read back. Raises InstrumentError if something stays closed.

        Errors noted earlier do not keep relays from opening.
        """
        still = self._crosspoints(self.ask(f'channel.open("allslots") print({ALL_CLOSED})'))
        if still:
            raise InstrumentError(
                f"The {self.name} was told to open everything, but says that {_listed(still)} is "
                "closed. Switch all outputs off, then the matrix."
            )

    def shutdown(self) -> None:
        """Open everything, as PyMeasure calls it at the end of a ``with`` block."""
        self.off()
        super().shutdown()

    def _card(self, slot: int, text: str) -> MatrixCard:
        model, _, description = text.strip().partition(",")
        size = SIZE.search(description)
        if size is None:
            raise ReplyError(
                f"The {self.name} describes the card in slot {slot} as {text!r}, which says no "
                "rows and columns. Only matrix cards can be used."
            )
        return MatrixCard(
            model=model.strip(),
            rows=int(size[1]),
            columns=int(size[2]),
            pseudo="pseudo" in text.lower(),
        )

    def _check_cards(self) -> None:
        cards = self.cards
        if not cards:
            raise InstrumentError(f"The {self.name} has no card: there is nothing to switch with.")
        for slot, card in cards.items():
            if card.pseudo:
                raise InstrumentError(
                    f"Slot {slot} of the {self.name} pretends to have a {card.model}, but has no "
                    f"relays. Send 'slot[{slot}].pseudocard = 0', or put a card in."
                )

    def _check_names(self, channels: Sequence[str]) -> None:
        wrong = [channel for channel in channels if not CHANNEL.fullmatch(channel)]
        if isinstance(channels, str) or wrong:
            raise ConfigurationError(
                f"{wrong[0] if wrong else channels!r} is no crosspoint of the {self.name}; expected"
                " names like 1A05: slot, row, column. Correct [wiring.matrix] of bench.toml."
            )

    def _crosspoints(self, reply: str) -> frozenset[str]:
        """``1A01;1C05``, or nil where nothing is closed."""
        text = reply.strip()
        if text == NOTHING:
            return frozenset()
        names = text.split(";")
        if not all(CHANNEL.fullmatch(name) for name in names):
            raise ReplyError(
                f"The {self.name} answered {reply!r} when asked which crosspoints are closed."
            )
        return frozenset(names)


def _listed(channels: Iterable[str]) -> str:
    return ", ".join(sorted(channels)) or "nothing"
