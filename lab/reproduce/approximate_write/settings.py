"""Which settings the approximate write tries: the paper's two knobs, and what goes beyond them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossbar.limits import Limits
from crossbar.units import Ratio, Seconds, Volts
from lab.reproduce.approximate_write.curves import Curve, Setting
from lab.reproduce.approximate_write.points import Network, Stages, settable
from physics.mtj import MtjPopulation
from physics.pulse_choice import cheapest_pulse, with_amplitude_for, with_width_for
from physics.write_pulses import WritePulse

CLAIMED: Ratio = 0.74
"""Of the programming energy, saved for one point of recognition: the paper's."""
REFERENCE_RATE: Ratio = 1e-8
"""Bit error rate of the reference pulse; ours."""
WIDTH: Seconds = 20e-9
"""Of the reference pulse; ours, about ten times tau_d."""
FIRST_AMPLITUDE: Volts = 0.8
"""Where the search for its amplitude starts."""
GOOD: Ratio = 1e-2
"""Bit error rate of the gentler pulse where two are used in turn; ours."""
CAREFUL: Ratio = 1e-4
"""Of the pulse for what must not go wrong; ours."""
KNOBS: Mapping[str, Callable[[MtjPopulation, WritePulse, Ratio], WritePulse]] = {
    "amplitude": with_amplitude_for,
    "width": with_width_for,
}
Numbers = Mapping[str, float]
"""Fields of `physics.mtj.MtjPopulation`."""


def with_spread(spread: Ratio) -> dict[str, float]:
    """The paper's device variability, as we read it: of critical voltage and stability alike."""
    return {"vc0_spread": spread, "delta_spread": spread, "tau_d_spread": 0.0}


def population_of(numbers: Numbers) -> MtjPopulation:
    """The built-in population with these fields."""
    return replace(MtjPopulation(), **numbers)  # type: ignore[arg-type]


def reference_pulse(
    population: MtjPopulation, width: Seconds = WIDTH, rate: Ratio = REFERENCE_RATE
) -> WritePulse:
    """One amplitude both ways, with the reference's bit error rate."""
    first = WritePulse.of_one_amplitude(FIRST_AMPLITUDE, width)
    return settable(with_amplitude_for(population, first, rate))


def knob_curve(
    name: str, knob: str, network: Network, numbers: Numbers, rates: Sequence[Ratio]
) -> Curve:
    """The reference pulse with one of its knobs turned down to these bit error rates."""
    population = population_of(numbers)
    reference = reference_pulse(population)
    return Curve(
        name=name,
        reference=Setting(rate=REFERENCE_RATE, point=network.uniform(numbers, reference)),
        settings=tuple(
            Setting(
                rate=rate,
                point=network.uniform(numbers, KNOBS[knob](population, reference, rate)),
            )
            for rate in rates
        ),
    )


@dataclass(kw_only=True)
class CheapestPulses:
    """The cheapest pulse of a population for each bit error rate, worked out once."""

    population: MtjPopulation
    limits: Limits
    """Of the bench: no pulse beyond them is chosen."""
    found: dict[Ratio, WritePulse] = field(default_factory=dict)

    def __call__(self, rate: Ratio) -> WritePulse:
        """The pulse, as a generator can be set to it."""
        if rate not in self.found:
            chosen = cheapest_pulse(
                self.population, rate, max_amplitude=self.limits.max_amplitude,
                widths=(self.limits.min_width, self.limits.max_width),
            )  # fmt: skip
            self.found[rate] = settable(chosen)
        return self.found[rate]


def chosen_curves(
    network: Network,
    numbers: Numbers,
    cheapest: CheapestPulses,
    binary_rates: Sequence[Ratio],
    gray_rates: Sequence[Ratio],
    *,
    in_turn: bool,
) -> list[Curve]:
    """Pulses chosen by optimization for a measured population, against the paper's way on the same
    cells: binary words, one amplitude, `WIDTH`. ``in_turn`` adds pulses that differ between
    bits, layers or parts of the training, at the two harshest rates.
    """
    gray = replace(network, code="gray")
    by_amplitude = knob_curve("binary, amplitude only", "amplitude", network, numbers, binary_rates)

    def curve(name: str, of: Network, rates: Sequence[Ratio], ways: Callable[[Ratio], Stages]):
        settings = [Setting(rate=b, point=of.point(numbers, ways(b))) for b in rates]
        return Curve(name=name, reference=by_amplitude.reference, settings=tuple(settings))

    def everywhere(rate: Ratio) -> Stages:
        return [(1.0, [[cheapest(rate)]] * 2)]

    curves = [
        by_amplitude,
        curve("binary, cheapest pulse", network, binary_rates, everywhere),
        curve("Gray, cheapest pulse", gray, gray_rates, everywhere),
    ]
    if not in_turn:
        return curves
    coded = {"binary": network, "Gray": gray}
    return curves + [
        curve(f"{code}, {what}", coded[code], gray_rates[-2:], ways)
        for (code, what), ways in pulses_in_turn(cheapest, network.bits).items()
    ]


def pulses_in_turn(
    cheapest: CheapestPulses, bits: int
) -> dict[tuple[str, str], Callable[[Ratio], Stages]]:
    """By code, and by what gets better pulses than the cheapest of a rate."""
    upper = bits // 2

    def by_bit(rate: Ratio) -> Stages:
        word = [cheapest(CAREFUL)] * upper + [cheapest(rate)] * (bits - upper)
        return [(1.0, [word, word])]

    def by_layer(rate: Ratio) -> Stages:
        return [(1.0, [[cheapest(rate)], [cheapest(CAREFUL)]])]

    def rough_first(rate: Ratio) -> Stages:
        return [(0.7, [[cheapest(rate)]] * 2), (1.0, [[cheapest(GOOD)]] * 2)]

    def rough_last(rate: Ratio) -> Stages:
        return [(0.3, [[cheapest(GOOD)]] * 2), (1.0, [[cheapest(rate)]] * 2)]

    return {
        ("binary", "upper half of the bits at 1e-4"): by_bit,
        ("Gray", "last layer at 1e-4"): by_layer,
        ("Gray", "last 30 % of the steps at 1e-2"): rough_first,
        ("Gray", "first 30 % of the steps at 1e-2"): rough_last,
    }


def network_variants(network: Network) -> dict[str, Network]:
    """What the paper does not say of its network, said otherwise."""
    copied = replace(network, keeps_copy=True, optimizer="adam", rate=5e-3)
    return {
        "sign-magnitude": replace(network, code="sign-magnitude"),
        "Gray code": replace(network, code="gray"),
        "4 bits": replace(network, bits=4),
        "8 bits, real-valued copy kept (Adam)": copied,
        "1 bit, real-valued copy kept (Adam)": replace(copied, bits=1),
        "128 hidden units": replace(network, hidden=128),
        "3 epochs": replace(network, epochs=3),
    }


def physics_variants() -> dict[str, tuple[Numbers, Seconds, Ratio]]:
    """What the paper does not say of its junctions, said otherwise: fields, width, reference."""
    usual = (WIDTH, REFERENCE_RATE)
    return {
        "as above": ({}, *usual),
        "pulses of 6 ns": ({}, 6e-9, REFERENCE_RATE),
        "pulses of 10 ns": ({}, 10e-9, REFERENCE_RATE),
        "pulses of 50 ns": ({}, 50e-9, REFERENCE_RATE),
        "reference at 1e-6": ({}, WIDTH, 1e-6),
        "reference at 1e-10": ({}, WIDTH, 1e-10),
        "delta 40": ({"delta": 40.0}, *usual),
        "delta 80": ({"delta": 80.0}, *usual),
        "tau_D 1 ns": ({"tau_d": 1e-9}, *usual),
        "tau_D spread by 5 %": ({"tau_d_spread": 0.05}, *usual),
        "TMR 50 %": ({"tmr": 0.5}, *usual),
        "TMR 200 %": ({"tmr": 2.0}, *usual),
        "TMR falls to half at 0.3 V": ({"v_half": 0.3}, *usual),
        "critical voltages alike": ({"vc0_low": 0.4}, *usual),
    }
