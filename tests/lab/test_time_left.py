"""How long a run will go on."""

import json

import pytest

from lab.time_left import TimeLeft, in_words, planned_beside


class Bench:
    """A clock to be set."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.3, "0 s"), (119, "119 s"), (150, "2 min"), (12_000, "3 h 20 min"), (190_000, "2 d 4 h")],
)
def test_durations_in_words(seconds, words):
    """As people say them."""
    assert in_words(seconds) == words


def test_nothing_is_said_without_a_plan():
    """No number is better than a made-up one."""
    assert TimeLeft(dies=3, planned=lambda: None).text(5) == ""


def test_the_plan_counts_until_a_die_is_over_then_its_pace():
    """Four dies of 60 s by plan; the first one really takes 90 s."""
    clock = Bench()
    plan = (60.0, 10)
    left = TimeLeft(dies=4, planned=lambda: plan, bench_time=clock)

    assert left.left(plan, 0) == pytest.approx(240)
    clock.now += 40
    assert left.left(plan, 5) == pytest.approx(210)
    assert left.text(5) == ", by plan 4 min left at the bench"
    clock.now = 190.0
    left.die_done(10)
    assert left.left(plan, 10) == pytest.approx(3 * 90)
    clock.now += 45
    assert left.left(plan, 15) == pytest.approx(2.5 * 90)


def test_a_run_longer_than_planned_is_never_overdue():
    """More records than the plan foresaw: nothing left, not less."""
    left = TimeLeft(dies=1, planned=lambda: (60.0, 10), bench_time=Bench())

    assert left.left((60.0, 10), 99) == 0


def test_a_plan_is_made_beside(lab, tmp_path):
    """The process of `lab plan` gives what the command gives; when the run ends, it is ended."""
    arguments = ["array-map", "--simulated", "--database", str(tmp_path / "lab.sqlite")]
    arguments += ["--dies", "0,0"]
    expected = json.loads(lab("plan", *arguments, "--json").stdout)
    with planned_beside(arguments) as planned:
        assert planned() is None  # a run does not wait for it
        planned.process.wait(120)
        found = planned()
    assert found == (pytest.approx(expected["duration"]), expected["records"])


def test_a_plan_that_fails_says_nothing():
    """The run itself will say what is wrong."""
    with planned_beside(["no-such-protocol", "--simulated"]) as planned:
        planned.process.wait(120)
        assert planned() is None
