"""Numbers that the paper's abstract does not give, and how much they matter."""

from collections.abc import Sequence
from dataclasses import replace

from crossbar.units import Ratio
from lab.reproduce.no_ecc.energy import REFERENCE, WIDTHS, Dies, mean_population, saving
from lab.reproduce.no_ecc.findings import CLAIMED_RATE
from lab.reproduce.no_ecc.results import ALLOWED, PLAIN, STATIC, NetworkResult
from lab.reproduce.no_ecc.telling import borne, share
from lab.reproduce.paper import OurParameter


def of_energy(measured: Dies) -> list[OurParameter]:
    """What the energy factor depends on, tried anew with other values."""
    population = mean_population(measured)

    def factor(reference: Ratio = REFERENCE, **changes: float) -> str:
        changed = replace(population, **changes)  # type: ignore[arg-type]
        return f"{saving(changed, WIDTHS[0], CLAIMED_RATE, reference):.2f}"

    at = f"energy factor at {share(CLAIMED_RATE)} and 20 ns, now {factor()}"
    spread = population.vc0_spread
    return [
        OurParameter(
            name="reference bit error rate",
            value=f"{REFERENCE:g}",
            why="what a memory without error correction is usually programmed to, by custom",
            sensitivity=f"{at}; {factor(1e-6)} for 1e-6, {factor(1e-10)} for 1e-10",
        ),
        OurParameter(
            name="spread of the critical voltage from cell to cell",
            value=f"{100 * spread:.1f} %, as measured on the dies",
            why="4.4 % was measured on a 4-kbit array (IBM, IEDM 2010)",
            sensitivity=f"{at}; {factor(vc0_spread=spread / 2)} for half, "
            f"{factor(vc0_spread=2 * spread)} for twice of it",
        ),
        OurParameter(
            name="how the TMR falls with voltage",
            value=f"to half at {population.v_half:.2f} V, as measured up to 0.3 V",
            why="the write voltages are beyond what may be swept",
            sensitivity=f"{at}; {factor(v_half=0.8 * population.v_half)} for 20 % less, "
            f"{factor(v_half=1.2 * population.v_half)} for 20 % more",
        ),
    ]


def of_networks(networks: Sequence[NetworkResult]) -> list[OurParameter]:
    """What counts as little, and as an error."""
    stricter = "; ".join(
        f"{found.plan.title}: {borne(found.borne(PLAIN, STATIC, ALLOWED / 2))} at half, "
        f"{borne(found.borne(PLAIN, STATIC, ALLOWED * 2))} at twice of it"
        for found in networks
    )
    return [
        OurParameter(
            name="cells of a bit",
            value="one",
            why="the cells measured here are single ones; the paper's are pairs (from memory)",
            sensitivity="not tried. A pair takes twice the energy at every rate, so factors stay; "
            "if one write of a pair fails, its cells are alike, and the sense amplifier decides "
            "by chance or by their spread",
        ),
        OurParameter(
            name="loss that counts as little",
            value=f"{100 * ALLOWED:g} points",
            why="the paper's abstract says little",
            sensitivity=f"highest static rate: {stricter}",
        ),
        OurParameter(
            name="what was in a cell before",
            value="the other state",
            why="a write of a bit that does not change cannot fail",
            sensitivity="not tried; random contents would make the bit error rate of a deployment "
            "half of the write error rate",
        ),
    ]
