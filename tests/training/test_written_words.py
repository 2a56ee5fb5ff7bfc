from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from physics.mtj import MtjPopulation
from physics.write_pulses import WritePulse, write_energy, write_error_rates
from training.fixed_point import FixedPoint
from training.written_words import WrittenWords

FORMAT = FixedPoint(bits=4)
WORDS = 500
SURE = WritePulse.of_one_amplitude(1.2, 100e-9)
WEAK = WritePulse(low=0.45, high=0.5, width=10e-9)
"""Fails about half the time."""


def memory(words: int = WORDS, population: MtjPopulation | None = None) -> WrittenWords:
    cells = (population or MtjPopulation()).sample(words * 4, np.random.default_rng(1))
    return WrittenWords(
        shape=(words, 1), format=FORMAT, cells=cells, first=torch.linspace(-1, 1, words)
    )


def random_words(seed: int, words: int = WORDS) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 16, (words,), generator=generator, dtype=torch.uint8)


def test_a_sure_pulse_writes_everything():
    written, draws = memory(), torch.Generator().manual_seed(1)
    written.use(SURE)
    written.write(random_words(2), draws)

    assert torch.equal(written.words, random_words(2))
    assert torch.equal(written.values.flatten(), FORMAT.decoded(random_words(2)))
    assert written.ledger.failed == 0


def test_each_cell_fails_at_its_own_rate():
    """Written to and fro 400 times: failures of single cells, each way, against the physics."""
    written, draws = memory(words=20), torch.Generator().manual_seed(1)
    written.use(WEAK)
    tried, failed = torch.zeros(2, 80), torch.zeros(2, 80)
    for number in range(800):
        aim = torch.full((20,), 15 * (number % 2), dtype=torch.uint8)
        before = FORMAT.taken_apart(written.words).flatten()
        written.write(aim, draws)
        after = FORMAT.taken_apart(written.words).flatten()
        to = number % 2
        tried[to] += before != bool(to)
        failed[to] += (before != bool(to)) & (after != bool(to))
    for to, state in enumerate((State.LOW, State.HIGH)):
        expected = torch.from_numpy(write_error_rates(written.cells, WEAK, state)).float()
        sd = (expected * (1 - expected) / tried[to]).sqrt()
        assert (((failed[to] / tried[to] - expected) / sd).abs() < 4.5).all()


def test_a_failed_write_leaves_the_old_bit():
    """Whatever happens, every bit is the old one or the target's."""
    written, draws = memory(), torch.Generator().manual_seed(1)
    written.use(WEAK)
    before = FORMAT.taken_apart(written.words)
    written.write(random_words(2), draws)
    after, aimed = FORMAT.taken_apart(written.words), FORMAT.taken_apart(random_words(2))

    assert ((after == before) | (after == aimed)).all()
    assert written.ledger.changing == int((before != aimed).sum())
    assert written.ledger.failed == int((after != aimed).sum()) > 0


def energies_by_hand(written: WrittenWords, targets: torch.Tensor, pulse: WritePulse):
    """Joule for every cell of a pulse to its target, with R before it."""
    before = FORMAT.taken_apart(written.words).flatten().numpy()
    aimed = FORMAT.taken_apart(targets).flatten().numpy()
    by_cell = np.zeros(len(before))
    for to, target in enumerate((State.LOW, State.HIGH)):
        for was, state in enumerate((State.LOW, State.HIGH)):
            chosen = (aimed == to) & (before == was)
            by_cell[chosen] = write_energy(written.cells, pulse, target, state)[chosen]
    return by_cell[aimed != before].sum(), by_cell.sum()


def test_the_ledger_is_the_sum_over_all_cells():
    """Three writes, two pulses: changed bits only, and all bits, each worked out cell by cell."""
    written, draws = memory(), torch.Generator().manual_seed(1)
    changed = everything = 0.0
    for seed, pulse in ((2, WEAK), (3, WEAK), (4, SURE)):
        written.use(pulse)
        more = energies_by_hand(written, random_words(seed), pulse)
        changed, everything = changed + more[0], everything + more[1]
        written.write(random_words(seed), draws)

    assert written.ledger.changed_before == pytest.approx(changed, rel=1e-5)
    assert written.ledger.all_before == pytest.approx(everything, rel=1e-5)


def test_resistance_after_the_pulse_swaps_the_directions():
    """Sure writes from all 0 to all 1: before the pulse all cells are LOW, after it HIGH."""
    written, draws = memory(words=10), torch.Generator().manual_seed(1)
    written.words[:] = 0
    written.use(SURE)
    written.write(torch.full((10,), 15, dtype=torch.uint8), draws)
    low, high = (write_energy(written.cells, SURE, State.HIGH, state).sum() for state in State)

    assert written.ledger.changed_before == pytest.approx(low, rel=1e-5)
    assert written.ledger.changed_after == pytest.approx(high, rel=1e-5)


def test_each_bit_has_a_pulse_of_its_own():
    """The first two bits are written surely, the others hardly ever."""
    never = WritePulse.of_one_amplitude(0.05, 10e-9)
    written, draws = memory(), torch.Generator().manual_seed(1)
    before = FORMAT.taken_apart(written.words)
    written.use((SURE, SURE, never, never))
    written.write(random_words(2), draws)
    after, aimed = FORMAT.taken_apart(written.words), FORMAT.taken_apart(random_words(2))

    assert torch.equal(after[:, :2], aimed[:, :2])
    assert torch.equal(after[:, 2:], before[:, 2:])


def test_the_gradient_goes_straight_to_the_latents():
    written = memory()
    latents = torch.zeros(WORDS, 1, requires_grad=True)
    read = written.read(latents)
    read.sum().backward()

    assert torch.equal(read.detach(), written.values)
    assert torch.equal(latents.grad, torch.ones(WORDS, 1))


def test_a_snapshot_goes_on_with_the_same_bits():
    whole, draws = memory(), torch.Generator().manual_seed(1)
    whole.use(WEAK)
    whole.write(random_words(2), draws)
    kept, state = whole.snapshot(), draws.get_state()
    whole.write(random_words(3), draws)

    resumed, again = memory(), torch.Generator()
    resumed.restore(kept)
    again.set_state(state)
    resumed.write(random_words(3), again)

    assert torch.equal(whole.words, resumed.words)
    assert torch.equal(whole.values, resumed.values)
    assert asdict(whole.ledger) == asdict(resumed.ledger)


def test_misuse_is_refused():
    cells = MtjPopulation().sample(8, np.random.default_rng(1))
    with pytest.raises(ConfigurationError, match="need 2000 cells, got 8"):
        WrittenWords(shape=(500,), format=FORMAT, cells=cells, first=torch.zeros(500))
    with pytest.raises(ConfigurationError, match="call use"):
        memory().write(random_words(2), torch.Generator())
    with pytest.raises(ConfigurationError, match="3 pulses for words of 4 bits"):
        memory().use((SURE,) * 3)


def test_hotter_cells_fail_less():
    """The population's laws reach the words: at 400 K the same pulse fails less often."""
    failed = []
    for kelvin in (300.0, 400.0):
        written = memory(population=replace(MtjPopulation(), temperature=kelvin))
        written.use(WEAK)
        written.write(random_words(2), torch.Generator().manual_seed(1))
        failed.append(written.ledger.failed)
    assert failed[1] < failed[0]
