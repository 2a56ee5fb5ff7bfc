"""Every protocol has its picture, and the pictures can be drawn."""

import numpy as np
import pytest

from crossbar.pulses import State
from crossbar.records import (
    DotProductBlock,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from lab.report.measured import CHARTS
from lab.report.page import image
from lab.report.protocol_figures import forming, resistance, retention
from lab.report.style import report_style
from protocols.catalog import PROTOCOLS

SHOWN_ELSEWHERE = {"contact-check", "array-map", "write-error-rate"}


def train(cell: int, part: int, outcome: str = "broken") -> PulseTrain:
    return PulseTrain(
        cell=cell,
        part=part,
        amplitude=np.array([0.9, -0.9]),
        width=np.full(2, 50e-9),
        pulses=np.full(2, 10**part, np.int64),
        conductance=np.array([2e-4, 1e-4]),
        read_amplitude=0.1,
        outcome=outcome,
    )


def point(amplitude: float, errors: int) -> WerPoint:
    return WerPoint(
        cell=1,
        target=State.LOW,
        amplitude=amplitude,
        width=1e-8,
        attempts=100,
        errors=errors,
        rejected=0,
        interval_low=0.01,
        interval_high=0.5,
        confidence=0.95,
        execution="board",
        stopped_by="budget",
    )


def block(level: int | None) -> ProgrammedBlock:
    return ProgrammedBlock(
        cells=np.arange(4),
        target_low=np.ones(4, bool),
        conductance=np.array([1e-4, 9e-5, 1.1e-4, 0.0]),
        verified=np.array([True, True, True, False]),
        pulses=np.array([1, 2, 0, 3]),
        threshold=1e-5,
        level=None if level is None else np.full(4, level),
    )


def reading(step: int, time: float) -> RetentionReading:
    return RetentionReading(
        step=step,
        written_at=0.0,
        time=time,
        read_amplitude=0.1,
        cells=np.arange(4),
        written_low=np.array([True, True, False, False]),
        conductance=np.array([2e-4, 2e-4, 1e-4, 1e-4]),
    )


def trace(state: State) -> ReadTrace:
    noise = np.random.default_rng(1).normal(1.0, 0.01, 64)
    return ReadTrace(
        cell=3,
        state=state,
        part=0,
        read_amplitude=0.1,
        time=0.01 * np.arange(64),
        conductance=1e-4 * noise,
    )


RECORDS = {
    WerPoint: [point(0.3, 90), point(0.5, 0)],
    PulseTrain: [train(cell, part) for cell in (1, 2) for part in (0, 1)],
    ProgrammedBlock: [block(0), block(1)],
    RetentionReading: [reading(0, 0.0), reading(1, 10.0)],
    ReadTrace: [trace(State.LOW), trace(State.HIGH)],
    VoltageSweep: [
        VoltageSweep(
            cell=1,
            part=0,
            voltage=np.linspace(0, 0.2, 5),
            current=np.linspace(0, 2e-5, 5),
            in_compliance=np.zeros(5, bool),
        )
    ],
    DotProductBlock: [
        DotProductBlock(
            subarray=0,
            row_voltages=np.full((2, 3), 0.1),
            current=np.full((2, 4), 3e-5),
            conductance=np.full((3, 4), 1e-4),
        )
    ],
}


def test_every_protocol_is_shown():
    """Who adds a protocol adds its picture."""
    assert set(PROTOCOLS) == SHOWN_ELSEWHERE | set(CHARTS)


@pytest.mark.parametrize("protocol", CHARTS)
def test_each_chart_draws_its_records(protocol):
    """With records of its kind, without a warning."""
    chart = CHARTS[protocol]

    with report_style():
        figure = chart.draw(RECORDS[chart.record], {"start": 2.0, "step": 0.1})
        assert len(image(figure)) > 5000
    assert all(axes.get_xlabel() for axes in figure.axes if axes.get_label() != "<colorbar>")


def test_weights_are_not_drawn_as_levels():
    """`lab program` writes weights by the same protocol."""
    assert [CHARTS["program-and-verify"].shows(block(level)) for level in (None, 0)] == [
        False,
        True,
    ]


def test_cells_that_conducted_before_do_not_count_as_formed_by_the_ramp():
    """Of four cells one was formed by the first pulse, one by the second."""
    figure = forming([block(None)], {"start": 2.0, "step": 0.1})

    (steps,) = figure.axes[0].lines
    assert steps.get_ydata().tolist() == [0.25, 0.5, 0.5]


def test_the_first_reading_has_a_place_on_a_logarithmic_axis():
    """Time 0 stands at half of the next time."""
    (axes,) = retention(RECORDS[RetentionReading]).axes

    assert axes.lines[0].get_xdata().tolist() == [5.0, 10.0]


def test_an_open_cell_has_a_finite_resistance_in_pictures():
    """A reading of zero or below is drawn at 1 GOhm."""
    assert resistance([0.0, -1e-6, 1e-4]).tolist() == pytest.approx([1e9, 1e9, 1e4])
