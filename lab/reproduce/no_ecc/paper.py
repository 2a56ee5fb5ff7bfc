"""`lab reproduce no-ecc`: binarized networks on MRAM whose errors nobody corrects."""

from collections.abc import Sequence

from analysis.mean_interval import MeanInterval
from crossbar.geometry import DieAddress
from crossbar.units import Ratio, Volts
from lab.reproduce.measured_junctions import check_pulse
from lab.reproduce.no_ecc import findings, ours, sections
from lab.reproduce.no_ecc.energy import (
    WIDTHS,
    Dies,
    condition,
    mean_population,
    measured_dies,
)
from lab.reproduce.no_ecc.plan import FULL, QUICK, NetworkPlan, Plan
from lab.reproduce.no_ecc.points import graded_training
from lab.reproduce.no_ecc.results import NetworkResult
from lab.reproduce.paper import Paper, PaperResult
from lab.reproduce.reproducing import Reproduction
from physics.mtj import MtjPopulation

CHECKED_RATES: tuple[Ratio, ...] = (1e-3, 1e-2)


def run(reproduction: Reproduction) -> PaperResult:
    """Train and grade, measure and reckon."""
    plan = QUICK if reproduction.quick else FULL
    networks = [_graded(reproduction, network) for network in plan.networks]
    dies, others = _chosen_dies(reproduction, plan)
    measured = measured_dies(reproduction, dies, plan.cells)
    checked = _checked(reproduction, measured, others, plan.cells)
    told = [finding for found in networks for finding in findings.of_accuracy(found)]
    for found in networks:
        told += [findings.of_borne_rate(found), findings.of_aware_training(found)]
    return PaperResult(
        findings=[*told, *findings.of_energy(measured)],
        sections=[
            sections.accuracy_section(networks),
            sections.borne_section(networks, measured),
            sections.energy_section(measured, _truth(reproduction), _limit(reproduction), checked),
            sections.imagenet_section(),
        ],
        ours=[*ours.of_energy(measured), *ours.of_networks(networks)],
        differs=_differs(networks),
    )


def _graded(reproduction: Reproduction, plan: NetworkPlan) -> NetworkResult:
    """One network, every training of every seed."""
    points = list(plan.points(reproduction.seeds, reproduction.torch_device))
    outcomes = reproduction.sweep(plan.images, graded_training, points)
    step = len(plan.trainings)
    return NetworkResult(
        plan=plan,
        seeds=plan.of(reproduction.seeds),
        outcomes={training: outcomes[place::step] for place, training in enumerate(plan.trainings)},
    )


def _chosen_dies(
    reproduction: Reproduction, plan: Plan
) -> tuple[list[DieAddress], list[DieAddress]]:
    """Dies to measure, and others, as many where the wafer has them, to check pulses on."""
    every = reproduction.bench.configuration.wafer.addresses
    return list(every[: plan.dies]), list(every[plan.dies : 2 * plan.dies])


def _checked(
    reproduction: Reproduction, measured: Dies, others: Sequence[DieAddress], cells: int
) -> list[tuple[Ratio, MeanInterval]]:
    """What was counted with the pulses of two rates on dies that had no part in choosing them."""
    if not others:
        return []
    population = mean_population(measured)
    return [
        (
            rate,
            check_pulse(reproduction, condition(population, WIDTHS[0], rate).pulse, others, cells),
        )
        for rate in CHECKED_RATES
    ]


def _truth(reproduction: Reproduction) -> MtjPopulation | None:
    """What the simulated cells really are; None on a bench."""
    simulation = reproduction.bench.configuration.simulation
    return None if simulation is None else simulation.mtj


def _limit(reproduction: Reproduction) -> Volts:
    """The largest amplitude that the bench allows."""
    bench = reproduction.bench
    return bench.configuration.limits_from(bench.source).max_amplitude


def _differs(networks: Sequence[NetworkResult]) -> list[str]:
    sizes = "; ".join(
        f"{found.plan.title}: {found.plan.train} images, {found.plan.epochs} epochs, batches of "
        f"{found.plan.batch}"
        for found in networks
    )
    return [
        "Networks and trainings are smaller than the paper's (from memory: 784-1024-1024-10; six "
        f"convolutions from 128 channels up), for lack of compute. {sizes}. Accuracies without "
        "errors are therefore below published ones, and how many errors larger networks bear was "
        "not tried.",
        "Only the abstract was at hand: the paper's programming conditions, accuracies and cell "
        "are not known here. Its factor of two is of a system, ours of the cells alone.",
        *(
            f"{found.plan.title}: no training in memory that makes errors at its writes was run."
            for found in networks
            if not found.plan.written
        ),
    ]


PAPER = Paper(
    name="no-ecc",
    title="Binarized networks on MRAM without error correction",
    citation=(
        "T. Hirtzlin et al., Implementing binarized neural networks with magnetoresistive RAM "
        "without error correction, NANOARCH (2019), arXiv:1908.04085"
    ),
    claim=(
        "Bit error rates up to 0.1 % have little impact on the accuracy of binarized networks for "
        "MNIST, CIFAR-10 and ImageNet, so that MRAM can be programmed weakly and without error "
        "correction: up to a factor of two less energy of the system."
    ),
    minutes={True: 0.2, False: 110},
    run=run,
    seeds={True: 2, False: 5},
    datasets=["MNIST", "CIFAR-10"],
)
