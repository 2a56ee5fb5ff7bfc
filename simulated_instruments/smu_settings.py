"""The attributes of ``smuX.source`` and ``smuX.measure``, with ranges and defaults."""

from collections.abc import Sequence

from simulated_instruments.smu_ratings import SmuRatings
from simulated_instruments.tsp_settings import (
    DURATION,
    SWITCH_OFF,
    SWITCH_ON,
    Setting,
    choice,
)

DCAMPS, DCVOLTS = 0, 1

CONSTANTS = {
    "DISABLE": 0, "ENABLE": 1,
    "OUTPUT_DCAMPS": DCAMPS, "OUTPUT_DCVOLTS": DCVOLTS,
    "OUTPUT_OFF": 0, "OUTPUT_ON": 1, "OUTPUT_HIGH_Z": 2, "OUTPUT_NORMAL": 0, "OUTPUT_ZERO": 1,
    "SENSE_LOCAL": 0, "SENSE_REMOTE": 1, "SENSE_CALA": 3,
    "AUTORANGE_OFF": 0, "AUTORANGE_ON": 1, "AUTORANGE_FOLLOW_LIMIT": 2,
    "AUTOZERO_OFF": 0, "AUTOZERO_ONCE": 1, "AUTOZERO_AUTO": 2,
    "DELAY_OFF": 0, "DELAY_AUTO": -1,
    "FILTER_OFF": 0, "FILTER_ON": 1, "REL_OFF": 0, "REL_ON": 1,
    "FILTER_MOVING_AVG": 0, "FILTER_REPEAT_AVG": 1, "FILTER_MEDIAN": 2,
    "SETTLE_SMOOTH": 0, "SETTLE_FAST_RANGE": 1, "SETTLE_FAST_POLARITY": 2,
    "SETTLE_DIRECT_IRANGE": 3, "SETTLE_SMOOTH_100NA": 4, "SETTLE_FAST_ALL": 128,
    "SOURCE_IDLE": 0, "SOURCE_HOLD": 1, "LIMIT_AUTO": 0, "ASYNC": 2,
    "OE_NONE": 0, "OE_OUTPUT_OFF": 1,
}  # fmt: skip

REL_SETTINGS = {
    **{f"enable{quantity}": SWITCH_OFF for quantity in "ivrp"},
    **{f"level{quantity}": Setting(default=0) for quantity in "ivrp"},
}
FILTER_SETTINGS = {
    "type": choice(1, 0, 1, 2),
    "count": Setting(default=1, lower=1, upper=100),
    "enable": SWITCH_OFF,
}


def fitting_range(ranges: Sequence[float], value: float) -> float:
    """The smallest range that holds the value."""
    return next((full_scale for full_scale in ranges if abs(value) <= full_scale), ranges[-1])


def _symmetric(maximum: float, default: float = 0.0) -> Setting:
    return Setting(default=default, lower=-maximum, upper=maximum)


def source_settings(ratings: SmuRatings) -> dict[str, Setting]:
    """``smuX.source.*``. Levels may reach 101 % of the largest range."""
    volts, amperes = ratings.voltage_ranges, ratings.current_ranges
    return {
        "func": choice(DCVOLTS, DCAMPS, DCVOLTS),
        "output": choice(0, 0, 1, 2),
        "levelv": _symmetric(1.01 * ratings.max_voltage),
        "leveli": _symmetric(1.01 * ratings.max_current),
        "limiti": Setting(
            default=ratings.default_current_limit,
            lower=ratings.smallest_current_limit,
            upper=ratings.max_current,
        ),
        "limitv": Setting(
            default=ratings.default_voltage_limit,
            lower=ratings.smallest_voltage_limit,
            upper=ratings.max_voltage,
        ),
        "limitp": Setting(default=0, lower=0),
        "rangev": _symmetric(ratings.max_voltage, volts[0]),
        "rangei": _symmetric(ratings.max_current, amperes[0]),
        "autorangev": SWITCH_ON,
        "autorangei": SWITCH_ON,
        "lowrangev": _symmetric(ratings.max_voltage, volts[0]),
        "lowrangei": _symmetric(ratings.max_current, amperes[0]),
        "delay": Setting(default=0, lower=-1, upper=DURATION.upper),
        "offmode": choice(0, 0, 1, 2),
        "offfunc": choice(DCVOLTS, DCAMPS, DCVOLTS),
        "offlimiti": Setting(default=1e-3, lower=0, upper=ratings.max_current),
        "offlimitv": Setting(default=40, lower=0, upper=ratings.max_voltage),
        "highc": SWITCH_OFF,
        "settling": choice(0, 0, 1, 2, 3, 4, 128),
        "sink": SWITCH_OFF,
        "outputenableaction": choice(0, 0, 1),
    }


def measure_settings(ratings: SmuRatings) -> dict[str, Setting]:
    """``smuX.measure.*``."""
    volts, amperes = ratings.voltage_ranges, ratings.measured_current_ranges
    return {
        "nplc": Setting(default=1, lower=0.001, upper=25),
        "count": Setting(default=1, lower=1, upper=60_000),
        "interval": Setting(default=0, lower=0, upper=1),
        "delay": Setting(default=ratings.default_measure_delay, lower=-1, upper=DURATION.upper),
        "delayfactor": Setting(default=1, lower=0),
        "highcrangedelayfactor": Setting(default=10, lower=1, upper=99),  # not confirmed
        "autozero": choice(2, 0, 1, 2),
        "autorangei": choice(1, 0, 1, 2),
        "autorangev": choice(1, 0, 1, 2),
        "rangei": _symmetric(ratings.max_current, 0.1),
        "rangev": _symmetric(ratings.max_voltage, volts[0]),
        "lowrangei": _symmetric(ratings.max_current, amperes[0]),
        "lowrangev": _symmetric(ratings.max_voltage, volts[0]),
    }
