"""Types of columns that come back from SQLite as what they were."""

import math
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Double, TypeDecorator


class NanAsNull(TypeDecorator[float]):
    """A float that may be NaN. SQLite turns NaN into NULL by itself; here it comes back as NaN."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None or math.isnan(value) else float(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:
        return math.nan if value is None else value


class UtcTime(TypeDecorator[datetime]):
    """A point in time. SQLite forgets the zone, so that UTC goes in and is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
