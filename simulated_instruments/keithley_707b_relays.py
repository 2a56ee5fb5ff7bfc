"""The relays of a 707B: what is closed, in which order it moves, how long that takes.

Whoever has to know is told at every step, so that break before make and make before break differ.
The rows of all slots are one line each, joined by the backplane or by cables from card to card.
"""

from collections.abc import Callable, Iterable

from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.keithley_707b_cards import Card
from simulated_instruments.keithley_707b_lists import ChannelError
from simulated_instruments.matrix_paths import Crosspoint

ANY_ORDER, BREAK_BEFORE_MAKE, MAKE_BEFORE_BREAK = 0, 1, 2
DELAY_STEP: Seconds = 10e-3
"""Resolution of the additional delay: of most cards, as the help says."""


class Relays:
    """All relays of all slots."""

    def __init__(
        self,
        cards: dict[int, Card],
        clock: VirtualClock,
        moved: Callable[[Iterable[Crosspoint]], None],
    ) -> None:
        self.cards = cards
        """By slot; slots without a card are missing."""
        self.closed: set[Crosspoint] = set()
        """As the instrument says it; pseudocards included."""
        self.forbidden: set[Crosspoint] = set()
        self.delays: dict[Crosspoint, Seconds] = {}
        """What was added to the settling time, where it is not 0."""
        self.counts: dict[Crosspoint, int] = {}
        """Closures since power-on."""
        self._clock = clock
        self._moved = moved
        self._show()

    def check_allowed(self, wanted: Iterable[Crosspoint]) -> None:
        """ChannelError for a channel that is forbidden to close."""
        if self.forbidden.intersection(wanted):
            raise ChannelError("Parameter error: channel is forbidden to close")

    def change(
        self,
        opening: Iterable[Crosspoint],
        closing: Iterable[Crosspoint],
        *,
        rule: int = BREAK_BEFORE_MAKE,
        one_by_one: bool = False,
    ) -> None:
        """Open some and close others, as the rule orders it; return when they have settled."""
        opened = sorted(self.closed.intersection(opening))
        made = [at for at in dict.fromkeys(closing) if at not in self.closed]
        open_time = self._time(opened, one_by_one)
        close_time = self._time(made, one_by_one)
        if rule == ANY_ORDER:
            self._open(opened)
            self._close(made)
            self._show()
            self._clock.advance(max(open_time, close_time))
        else:
            steps = [(self._open, opened, open_time), (self._close, made, close_time)]
            for move, which, duration in steps if rule == BREAK_BEFORE_MAKE else reversed(steps):
                if which:
                    move(which)
                    self._show()
                    self._clock.advance(duration)
        self._show()
        self._clock.advance(max((self.delays.get(at, 0.0) for at in made), default=0.0))

    def remove_card(self, slot: int) -> list[Crosspoint]:
        """Take out a (pseudo)card and forget its channels; what they were."""
        card = self.cards.pop(slot, None)
        lost = list(card.crosspoints()) if card else []
        self.closed.difference_update(lost)
        self.forget(lost)
        for crosspoint in lost:
            self.counts.pop(crosspoint, None)
        self._show()
        return lost

    def forget(self, crosspoints: Iterable[Crosspoint]) -> None:
        """Neither forbidden nor delayed any more."""
        for crosspoint in crosspoints:
            self.forbidden.discard(crosspoint)
            self.delays.pop(crosspoint, None)

    def set_delay(self, crosspoints: Iterable[Crosspoint], delay: Seconds) -> None:
        """The additional delay; pseudocards keep none."""
        rounded = round(delay / DELAY_STEP) * DELAY_STEP
        for crosspoint in crosspoints:
            self.delays.pop(crosspoint, None)
            if rounded and not self.cards[crosspoint[0]].pseudo:
                self.delays[crosspoint] = rounded

    def _open(self, which: list[Crosspoint]) -> None:
        self.closed.difference_update(which)

    def _close(self, which: list[Crosspoint]) -> None:
        self.closed.update(which)
        for crosspoint in which:
            self.counts[crosspoint] = self.counts.get(crosspoint, 0) + 1

    def _time(self, which: list[Crosspoint], one_by_one: bool) -> Seconds:
        times = [self.cards[slot].kind.settling for slot, _, _ in which]
        return sum(times) if one_by_one else max(times, default=0.0)

    def _show(self) -> None:
        """Only relays that exist conduct."""
        self._moved([at for at in sorted(self.closed) if not self.cards[at[0]].pseudo])
