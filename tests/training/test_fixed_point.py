import pytest
import torch

from crossbar.errors import ConfigurationError
from training.fixed_point import FixedPoint

CODES = ("binary", "sign-magnitude", "gray")


def changed(format: FixedPoint, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(words,) bits in which two arrays of words differ."""
    return format.taken_apart(one ^ other).sum(1)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("bits", range(1, 9))
def test_every_value_has_a_word_of_its_own(code: str, bits: int):
    format = FixedPoint(bits=bits, code=code)
    values = torch.linspace(-1, 1, 2**bits)
    words = format.encoded(values)

    assert len(set(words.tolist())) == 2**bits
    assert torch.allclose(format.decoded(words), values, atol=1e-6)
    assert torch.equal(format.put_together(format.taken_apart(words)), words)


def test_codes_differ_in_what_a_step_changes():
    """Gray: always one bit. Across zero, binary changes all eight and sign-magnitude one."""
    values = torch.linspace(-1, 1, 256)
    steps = {}
    for code in CODES:
        format = FixedPoint(bits=8, code=code)
        words = format.encoded(values)
        steps[code] = changed(format, words[:-1], words[1:])

    assert (steps["gray"] == 1).all()
    assert steps["binary"][127] == 8
    assert steps["sign-magnitude"][127] == 1


def test_one_bit_is_a_sign():
    format = FixedPoint(bits=1)
    assert format.decoded(format.encoded(torch.tensor([-0.1, 0.1, 3.0]))).tolist() == [-1, 1, 1]


def test_random_rounding_keeps_the_mean():
    """A tenth of a step above a value: one word of ten is the next one."""
    format = FixedPoint(bits=8)
    value = format.decoded(torch.tensor([200], dtype=torch.uint8)) + 0.1 * format.step
    words = format.encoded(value.expand(20_000), torch.Generator().manual_seed(1))

    assert set(words.tolist()) == {200, 201}
    assert float((words == 201).float().mean()) == pytest.approx(0.1, abs=4 * 0.0021)


@pytest.mark.parametrize("wrong", [{"bits": 0}, {"bits": 9}, {"bits": 8, "code": "excess-3"}])
def test_other_words_are_refused(wrong: dict):
    with pytest.raises(ConfigurationError, match=r"sign-magnitude, gray"):
        FixedPoint(**wrong)
