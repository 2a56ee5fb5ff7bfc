"""What the page shows of the approximate write: texts, tables, pictures."""

import numpy as np

from crossbar.units import Ratio
from lab.reproduce.approximate_write.curves import KINDS
from lab.reproduce.approximate_write.figures import chosen_figure, knobs_figure
from lab.reproduce.approximate_write.points import Network
from lab.reproduce.approximate_write.results import (
    Results,
    interval,
    percent,
    points,
    saved_with_interval,
    tolerated,
)
from lab.reproduce.approximate_write.settings import (
    REFERENCE_RATE,
    WIDTH,
    physics_variants,
    population_of,
    reference_pulse,
    with_spread,
)
from lab.reproduce.paper import OurParameter, ResultTable, Section
from physics.pulse_choice import with_amplitude_for
from physics.write_pulses import WritePulse, flip_energy

DIFFERS = (
    "Only the abstract could be read: data, network, word and pulses are ours (below).",
    "No transistor is reckoned with: energy is that of the junction, V²/R times the width, with R "
    "of the state before the pulse at the pulse's voltage; the first table says how much savings "
    "change with R after it.",
    'Reading before writing, which "changed bits only" needs, is taken to cost nothing; "all '
    'bits" needs no reading.',
)


def sections(results: Results) -> list[Section]:
    """The page's parts, in order."""
    return [_knob_section(results), _chosen_section(results), _sensitivity_section(results)]


def _knob_section(results: Results) -> Section:
    return Section(
        heading="The paper's two knobs",
        text=(
            f"The reference pulse is {WIDTH * 1e9:.0f} ns long, has one amplitude for both "
            f"directions, and a bit error rate of {REFERENCE_RATE:g} over the cells. Amplitude or "
            "width is turned down; the rate is the mean over cells whose critical voltage and "
            "thermal stability spread, log-normal and independently. Every weight is a word of "
            f"{_bits(results)} bits in the cells and nowhere else: after each step of plain "
            "gradient descent it is written, rounded at random, and a bit whose write fails keeps "
            "its old value. Savings are of the whole training's programming energy, against the "
            "same seed with the reference pulse. With it, pulses to changed bits only take "
            f"{1e6 * results.usual.spent['changed']:.3g} µJ at a spread of 5 %, pulses to all bits "
            f"{1e6 * results.usual.spent['all']:.3g} µJ."
        ),
        tables=[_knob_table(results)],
        figures=[
            (
                "Points lost over energy saved, and over the bit error rate",
                knobs_figure(results.knobs),
            )
        ],
    )


def _knob_table(results: Results) -> ResultTable:
    rows = []
    for (knob, spread), curve in results.knobs.items():
        pulse = reference_pulse(population_of(with_spread(spread)))
        after = float(np.abs(curve.savings_after["changed"] - curve.savings["changed"]).max())
        row = [knob, f"{100 * spread:g} %", f"{pulse.low:.3f} V", f"{100 * curve.accuracy:.2f} %"]
        row.append(tolerated(curve))
        for kind in KINDS:
            found = curve.at_loss(0.01, kind)
            row.append(saved_with_interval(found))
        rows.append([*row, f"{100 * after:.2f} points"])
    return ResultTable(
        title="At one point lost (95 % intervals over seeds, jackknife)",
        columns=[
            "knob",
            "spread",
            "reference",
            "accuracy",
            "error rate allowed",
            "saved, changed bits",
            "saved, all bits",
            "change with R after the pulse",
        ],
        rows=rows,
    )


def _bits(results: Results) -> object:
    return results.usual.curve.reference.point["bits"]


def _chosen_section(results: Results) -> Section:
    junctions = results.junctions
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in junctions.population.items())
    return Section(
        heading="Pulses chosen for measured dies",
        text=(
            f"{junctions.cells} cells of {junctions.dies} dies were measured on the bench "
            "(write-error-rate, iv-sweep) and fitted; trainings run on cells drawn from that "
            f"population: {numbers}. For each bit error rate the two amplitudes and the width are "
            "sought that take the least energy for a bit that changes. All savings of this part "
            "are against one reference: binary words, the paper's way, on the same cells.\n\n"
            + _limit_text(results)
        ),
        tables=[_pulse_table(results), _strategy_table(results), _fresh_table(results)],
        figures=[
            (
                "Points lost over energy saved by every way of writing, cut off at six points",
                chosen_figure(results.chosen),
            )
        ],
    )


def _limit_text(results: Results) -> str:
    """How far pulses can go at all: failed writes of changed bits are tried again."""
    population, cheapest = results.cheapest.population, results.cheapest
    reference = flip_energy(population, reference_pulse(population))
    cost, rate = min(
        (flip_energy(population, pulse) / (1 - rate), rate)
        for rate, pulse in cheapest.found.items()
    )
    return (
        "A pulse that fails has been paid for, too. Of those tried, the one at a rate of "
        f"{rate:g} takes least for each flip that succeeds, {1e12 * cost:.3f} pJ: "
        f"{percent(1 - cost / reference)} less than the reference. What is saved beyond that in "
        "changed bits is saved because fewer bits change. So a harsher pulse may save less of the "
        'changed bits\' energy, for what failed is written again; "at least" then is all there is.'
    )


def _pulse_table(results: Results) -> ResultTable:
    population = results.cheapest.population
    reference = reference_pulse(population)
    pulses = {REFERENCE_RATE: reference} | dict(sorted(results.cheapest.found.items()))
    rows = [
        [f"{rate:g}", *_pulse_texts(pulse), f"{1e12 * flip_energy(population, pulse):.3f} pJ",
         percent(1 - flip_energy(population, pulse) / flip_energy(population, reference)),
         _checked(results, rate)]
        for rate, pulse in pulses.items()
    ]  # fmt: skip
    return ResultTable(
        title=(
            "Cheapest pulses (the first line is the reference); the last column is counted on dies "
            "that had no part in it, mean over cells"
        ),
        columns=[
            "predicted rate",
            "to LOW",
            "to HIGH",
            "width",
            "energy of a changing bit",
            "less than the reference",
            "rate on other dies",
        ],
        rows=rows,
    )


def _pulse_texts(pulse: WritePulse) -> list[str]:
    return [f"{pulse.low:.3f} V", f"{pulse.high:.3f} V", f"{1e9 * pulse.width:.2f} ns"]


def _checked(results: Results, rate: Ratio) -> str:
    found = results.checks.get(rate)
    if found is None:
        return "-"
    return f"{found.mean:.3g} ({found.low:.3g} to {found.high:.3g})"


def _strategy_table(results: Results) -> ResultTable:
    rows: list[list[object]] = []
    for curve in results.chosen:
        row: list[object] = [curve.curve.name]
        for kind in KINDS:
            for allowed in (0.01, 0.001):
                found = curve.at_loss(allowed, kind)
                row.append(saved_with_interval(found))
        rows.append(row)
    return ResultTable(
        title="Saved at one point, and at a tenth of a point",
        columns=[
            "way of writing",
            "changed bits, 1 point",
            "changed bits, 0.1 point",
            "all bits, 1 point",
            "all bits, 0.1 point",
        ],
        rows=rows,
    )


def _fresh_table(results: Results) -> ResultTable:
    rows = []
    for number, ((allowed, kind), name) in enumerate(results.picks.items()):
        row = results.fresh_row(number)
        setting = results.fresh.curve.settings[number]
        rows.append(
            [
                f"{100 * allowed:g} point, {KINDS[kind]}",
                name,
                f"{setting.rate:g}",
                f"{100 * row.loss.mean:.2f} ({points(row.loss)})",
                f"{percent(row.saving.mean)} ({interval(row.saving)})",
            ]
        )
    return ResultTable(
        title=(
            "What saves most of all that was tried within an allowed mean loss, tried again with "
            "fresh seeds (Student's 95 % intervals)"
        ),
        columns=["allowed", "way of writing", "rate", "points lost", "saved"],
        rows=rows,
    )


def _sensitivity_section(results: Results) -> Section:
    rows = [
        [name, f"{100 * curve.accuracy:.2f} %", tolerated(curve),
         *(saved_with_interval(curve.at_loss(0.01, kind)) for kind in KINDS)]
        for name, curve in {"as above": results.usual, **results.variants}.items()
    ]  # fmt: skip
    rate = results.usual.rate_at_loss(0.01).value
    return Section(
        heading="What the saving hinges on",
        text=(
            "First the network, trained anew (amplitude, spread 5 %). Then the junctions: there "
            f"the network's part is the bit error rate that costs it a point, {rate:.2g} as above, "
            "and only the pulses are worked out anew. That supposes that two pulses of one bit "
            "error rate cost a network the same, which the first table lets one judge."
        ),
        tables=[
            ResultTable(
                title="At one point lost, by network",
                columns=[
                    "network",
                    "accuracy",
                    "error rate allowed",
                    "saved, changed bits",
                    "saved, all bits",
                ],
                rows=rows,
            ),
            ResultTable(
                title="The same network on other junctions, energy of a changing bit",
                columns=["junctions", "reference", "saved by amplitude"],
                rows=_physics_rows(results),
            ),
        ],
    )


def _physics_rows(results: Results) -> list[list[str]]:
    rate = results.usual.rate_at_loss(0.01).value
    return [_physics_row(name, rate) for name in physics_variants()]


def _physics_row(name: str, rate: Ratio) -> list[str]:
    numbers, width, wanted = physics_variants()[name]
    population = population_of(with_spread(0.05) | dict(numbers))
    reference = reference_pulse(population, width, wanted)
    weak = with_amplitude_for(population, reference, rate)
    saved = 1 - flip_energy(population, weak) / flip_energy(population, reference)
    return [name, f"{reference.low:.2f} V, {1e9 * width:.0f} ns", percent(saved)]


def ours(results: Results, network: Network) -> list[OurParameter]:
    """What the abstract does not say; how much it matters stands in the last part."""
    found = [curve.at_loss(0.01).value for curve in (results.usual, *results.variants.values())]
    trained = (
        f"{100 * min(found):.0f} to {100 * max(found):.0f} % are saved for a point by the networks "
        "tried"
    )
    rows = [float(row[-1].split()[0]) for row in _physics_rows(results)]
    cells = f"{min(rows):.0f} to {max(rows):.0f} % on the junctions tried"
    learning = (
        f"{network.images}, {network.hidden} hidden ReLU units, batch normalization, "
        f"{network.epochs} epoch(s) of plain gradient descent at {network.rate:g} in batches of "
        f"{network.batch}"
    )
    word = f"{network.bits} bits, {network.code}, random rounding, no copy"
    pulse = f"bit error rate {REFERENCE_RATE:g}, {1e9 * WIDTH:.0f} ns, one amplitude"
    rows_of_ours = [
        ("image set, network", learning, "small enough to train hundreds of times", trained),
        ("word", word, "a fixed-point weight whose only place is the memory", trained),
        ("reference pulse", pulse, "within the bench's limit of 1.2 V", cells),
        ("junction", "median cell of physics.mtj.MtjPopulation", "typical of 50 nm", cells),
        (
            "device variability",
            "log-normal, of critical voltage and thermal stability: 0, 5, 10 %",
            "4.4 % was measured of the former (IBM, IEDM 2010)",
            "the first table",
        ),
        (
            "pulses in turn",
            "1e-2 and 1e-4 for the gentler one; at 30 or 70 % of the steps",
            "round numbers",
            "not tried otherwise",
        ),
    ]
    return [
        OurParameter(name=name, value=value, why=why, sensitivity=sensitivity)
        for name, value, why, sensitivity in rows_of_ours
    ]
