"""HfOx cells with an access transistor: a population, and what each of its cells does.

Amplitudes are volts over cell and transistor, bit line minus source line. FORMING makes the
filament once; SET and RESET join and break it. What pulses below the RESET threshold do to a LOW
cell is `physics.weak_reset`. Equations:

- FORMING happens at V >= V_form - s log10(width / 1 us), with V_form of a Gumbel distribution.
- After a SET the voltage over the filament stays at the switching voltage while the transistor
  limits the current: R_low = V_switch / I_limit (Ielmini, IEEE Trans. Electron Devices 58, 4309
  (2011)), with the spreads of `physics.weak_reset`'s R0 and
  c1 around it: 0.050 of ln R cycle to cycle and 0.053 cell to cell, and 0.023 more: in all 0.075.
  (Measured: 0.072 to 0.078.)
- RESET moves ln R from where it is towards ln R_high, a share of the way that rises with the
  amplitude; R_high has the measured distribution, most of which is the cell's own.
- A cell of so low a resistance that the transistor, fully on, does not reach the RESET threshold
  stays LOW: it is over-SET.
"""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from crossbar.errors import ConfigurationError
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Ohms, Ratio, Seconds, Siemens, Volts
from physics.draws import Keys, keys, uniforms
from physics.hfox_time import HfOxTimePopulation

FloatArray = NDArray[np.float64]

REFERENCE_WIDTH: Seconds = 1e-6
"""Voltages of a cell hold for pulses of this width."""
REFERENCE_READ: Volts = 0.2
"""Resistances hold at this voltage."""
CONDUCTION_VOLTAGE: Volts = 0.43
"""I = I_0 sinh(V / 0.43 V) of HIGH and fresh cells (compact model of sky130_fd_pr_reram)."""
MEASURED_CYCLES = 1e6
"""So many cycles were followed; a cell's life is counted in them."""
MOST_AGE: Ratio = 2.0
"""Ageing stops there: nothing is known beyond."""

HIGH_QUANTILES: dict[float, Ohms] = {
    0.01: 7.2e3, 0.05: 10e3, 0.25: 89e3, 0.50: 160e3, 0.75: 339e3, 0.95: 1.734e6, 0.99: 6.444e6,
}  # fmt: skip
"""After one RESET pulse: measured on 1,024 cells by akashlevy/NI-RRAM-Python (1 us pulses)."""
LOWEST_HIGH: Ohms = 6.6e3
HIGHEST_HIGH: Ohms = 5e7
"""Where the quantiles go, five standard deviations out; ours."""


@dataclass(frozen=True, kw_only=True)
class HfOxCells:
    """The parameters of n cells; every array has shape (n,)."""

    forming_voltage: FloatArray
    """Volts."""
    formed: FloatArray
    """ln of the conductance after FORMING at the forming voltage, over the population's median."""
    fresh: FloatArray
    """Siemens before FORMING."""
    low: FloatArray
    """R_low over the population's, beside what the weak RESET model spreads."""
    set_voltage: FloatArray
    """Volts, the median over cycles."""
    reset_voltage: FloatArray
    """Volts at which RESET begins, the median over cycles."""
    high_score: FloatArray
    """The cell's own part of the normal score of its HIGH resistances."""
    reach: FloatArray
    """Share of the way to HIGH that a RESET can go: 1, less for weak cells."""
    breakdown_voltage: FloatArray
    """Volts of RESET polarity that short the cell."""

    def __getitem__(self, cells: NDArray) -> "HfOxCells":
        """The cells at these indices."""
        return HfOxCells(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})


@dataclass(frozen=True, kw_only=True)
class HfOxPopulation:
    """Medians and spreads of a wafer's healthy cells; "ours" marks what no source fixes.

    sky130: documentation of google/skywater-pdk-libs-sky130_fd_pr_reram. NI-RRAM: statistics of
    akashlevy/NI-RRAM-Python. Daffodil: usnistgov/daffodil-lib.
    """

    fresh: Siemens = 30e-9
    """Median before FORMING; sky130 has all of them below 0.1 uS."""
    fresh_spread: Ratio = 0.3
    """Of ln G; ours."""
    forming_location: Volts = 2.4163
    forming_scale: Volts = 0.145
    """Gumbel: mean 2.50 V, 1 % below 2.19 V, 99.1 % below 3.1 V. sky130: 2.2 to 3.1 V, average 2.5
    V, yield above 99 % at 3.1 V, 1 us pulses. That the distribution is Gumbel's is ours."""
    formed: Siemens = 60e-6
    """Median after FORMING with the reference current limit; sky130: 30 to 120 uS."""
    formed_spread: Ratio = 0.3
    """Of ln G: 1 to 99 % from 30 to 120 uS."""
    formed_rise: float = 0.5
    """Rise of ln G for every volt above the forming voltage: higher pulses leave a lower
    resistance (sky130); the number is ours."""
    width_slope: Volts = 0.1
    """A pulse ten times as long does what one of so many volts more does; ours."""
    switching_voltage: Volts = 0.74
    """Of R_low = V / I_limit: 7.4 kOhm, the median LOW of NI-RRAM, at 100 uA."""
    reference_current: Amperes = 100e-6
    low_spread: Ratio = 0.023
    """Cell to cell, of ln R_low, beyond the weak RESET model's: in all 0.075, as in NI-RRAM."""
    set_voltage: Volts = 0.75
    """Daffodil's model switches at 0.75 V."""
    reset_voltage: Volts = 0.85
    """Where RESET begins and weak RESET ends (`physics.weak_reset.reference_pulses`)."""
    full_reset: Ratio = 1.75
    """Amplitude, in units of the cell's reset voltage, at which RESET goes all the way; ours."""
    threshold_spread: Ratio = 0.05
    """Cell to cell, of ln of set and reset voltage; ours."""
    threshold_cycle_to_cycle: Ratio = 0.04
    """The same from cycle to cycle; ours."""
    reset_current: Amperes = 500e-6
    """What the transistor, fully on, gives at most; Daffodil's largest current cap."""
    high_cell_to_cell: Ratio = 0.87
    """Correlation of a cell's normal scores of R_high; the rest is redrawn in every RESET. One cell
    of NI-RRAM spreads by 0.26 in log10 R, 1,024 cells by 0.6."""
    breakdown_voltage: Volts = 3.2
    """Median, RESET polarity; ours. NI-RRAM warns that pushing HIGH too far shorts cells."""
    breakdown_spread: Ratio = 0.04
    """Ours."""
    read_noise: Ratio = 0.01
    """Standard deviation of one reading, relative (short-term read noise, aihwkit's ReRAM fit): of
    cells that were never formed, and of what a dot product adds to its cells' noise."""
    time: HfOxTimePopulation = field(default_factory=HfOxTimePopulation)
    """Noise and drift of formed cells."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "time":
                continue
            may_be_zero = f.name.endswith(("spread", "cycle", "cell", "slope", "rise", "noise"))
            if not (0 < value < np.inf or (may_be_zero and value == 0)):
                raise ConfigurationError(
                    f"HfOxPopulation.{f.name} is {value!r}; it must be positive and finite"
                    f"{', or zero' if may_be_zero else ''}. Correct it where the population is "
                    "configured."
                )
        if self.high_cell_to_cell > 1:
            raise ConfigurationError(
                f"HfOxPopulation.high_cell_to_cell is {self.high_cell_to_cell!r}: a correlation is "
                "1 at most. Correct it where the population is configured."
            )

    @property
    def median_low(self) -> Siemens:
        """Median conductance after SET with the reference current limit."""
        return self.reference_current / self.switching_voltage

    def sample(self, count: int, at: Keys) -> HfOxCells:
        """Draw the cells of one die from one key."""
        draws = uniform_matrix(np.broadcast_to(at, count), np.arange(count), 8)
        z = ndtri(draws[:, 1:])

        def spread(median: float, sd: float, which: int) -> FloatArray:
            return median * np.exp(sd * z[:, which])

        return HfOxCells(
            forming_voltage=self.forming_location
            - self.forming_scale * np.log(-np.log(draws[:, 0])),
            formed=self.formed_spread * z[:, 0],
            fresh=spread(self.fresh, self.fresh_spread, 1),
            low=spread(1.0, self.low_spread, 6),
            set_voltage=spread(self.set_voltage, self.threshold_spread, 2),
            reset_voltage=spread(self.reset_voltage, self.threshold_spread, 3),
            high_score=self.high_cell_to_cell * z[:, 4],
            reach=np.ones(count),
            breakdown_voltage=spread(self.breakdown_voltage, self.breakdown_spread, 5),
        )

    def effective_amplitude(self, pulse: Pulse) -> Volts:
        """Magnitude of the pulse of reference width that does the same."""
        longer = np.log10(pulse.width / REFERENCE_WIDTH)
        return abs(pulse.amplitude) + self.width_slope * float(longer)

    def low_resistance(self, limit: Amperes) -> Ohms:
        """Median after a SET with this current limit."""
        return self.switching_voltage / limit

    def formed_resistance(self, cells: HfOxCells, amplitude: Volts, limit: Amperes) -> FloatArray:
        """(n,) Ohm right after FORMING by a pulse of this effective amplitude."""
        log_g = cells.formed + self.formed_rise * np.maximum(amplitude - cells.forming_voltage, 0)
        return 1 / (self.formed * limit / self.reference_current * np.exp(log_g))

    def sets(self, cells: HfOxCells, amplitude: Volts, score: FloatArray) -> NDArray[np.bool_]:
        """Whether a positive pulse SETs; ``score`` is this cycle's normal number."""
        return amplitude >= cells.set_voltage * np.exp(self.threshold_cycle_to_cycle * score)

    def at_filament(self, amplitude: Volts, resistance: FloatArray) -> FloatArray:
        """(n,) Volts of a negative pulse, of which the transistor gives no more than it can."""
        return np.minimum(amplitude, self.reset_current * resistance)

    def reset_share(
        self, cells: HfOxCells, amplitude: Volts, resistance: FloatArray, score: FloatArray
    ) -> FloatArray:
        """Share of the way to HIGH that a negative pulse goes; 0 below the threshold."""
        begin = cells.reset_voltage * np.exp(self.threshold_cycle_to_cycle * score)
        share = (self.at_filament(amplitude, resistance) / begin - 1) / (self.full_reset - 1)
        return np.clip(share, 0, 1) * cells.reach

    def log_high(
        self, cells: HfOxCells, score: FloatArray, wears: FloatArray, age: FloatArray
    ) -> FloatArray:
        """ln of R_high after a full RESET; ``score`` normal, ``wears`` uniform, of this cycle."""
        own = np.sqrt(1 - self.high_cell_to_cell**2) * (1 + C2C_AGEING * age)
        total = cells.high_score + own * score
        fails = wears < failing_share(age)
        total = np.where(fails, ndtri(0.05 * ndtr(total)), total)
        return log_high_quantile(total) - HIGH_AGEING * age


LOW_AGEING = float(np.log(12.9 / 10.9))
"""Rise of ln R_low over a million cycles (NI-RRAM, one cell, 1.005e6 cycles: 10.9 to 12.9 kOhm)."""
HIGH_AGEING = float(np.log(136 / 88))
"""Fall of ln R_high (136 to 83-93 kOhm)."""
C2C_AGEING = 0.38 / 0.26 - 1
"""Growth of its cycle-to-cycle spread."""


def age_of(cycles: NDArray[np.int64]) -> FloatArray:
    """Cycles in millions, as far as ageing is known."""
    return np.minimum(cycles / MEASURED_CYCLES, MOST_AGE)


def failing_share(age: FloatArray) -> FloatArray:
    """Share of RESETs that worn cells do not follow, beside those of new ones: a power law through
    5e-4 at 2e5 cycles and 1e-2 at 4.5e5 (NI-RRAM; none below 1e5).
    """
    return np.minimum(1e-2 * (age / 0.45) ** FAILING_EXPONENT, 1.0)


FAILING_EXPONENT = float(np.log(20) / np.log(0.45 / 0.2))

_SCORES = np.array([-5.0, *ndtri(list(HIGH_QUANTILES)), 5.0])
_LOG_HIGH = np.log([LOWEST_HIGH, *HIGH_QUANTILES.values(), HIGHEST_HIGH])


def log_high_quantile(score: FloatArray) -> FloatArray:
    """ln R of the HIGH state whose share below is that of this normal score: straight lines between
    the measured quantiles.
    """
    return np.interp(score, _SCORES, _LOG_HIGH)


def conduction(voltage: Volts | FloatArray) -> FloatArray:
    """Conductance of a HIGH or fresh cell at this voltage, relative to that at `REFERENCE_READ`."""

    def shape(v: FloatArray) -> FloatArray:
        u = np.abs(np.where(v == 0, 1e-9, v)) / CONDUCTION_VOLTAGE
        return np.sinh(u) / u

    return shape(np.asarray(voltage)) / shape(np.asarray(REFERENCE_READ))


def conduction_series(terms: int) -> FloatArray:
    """Coefficients of `conduction` in even powers of the voltage."""
    powers = 2 * np.arange(terms)
    factorials = np.cumprod(np.r_[1.0, (powers[1:] + 1) * powers[1:]])
    at_zero = conduction(0.0)
    return at_zero / (factorials * CONDUCTION_VOLTAGE**powers)


def uniform_matrix(at: Keys, part: NDArray[np.integer] | int, draws: int) -> FloatArray:
    """(n, draws) uniform numbers: so many of this part of each of n keys."""
    rows = keys(at, part)
    numbered = keys(np.repeat(rows, draws), np.tile(np.arange(draws), len(rows)))
    return uniforms(numbered).reshape(len(rows), draws)
