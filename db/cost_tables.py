"""What runs cost: pulses, their energy, and time; summed over the parts of a run."""

from dataclasses import asdict, fields

from sqlalchemy import Connection, insert, select, update

from db.rows import RunCost
from db.schema import run_costs


def add_cost(connection: Connection, run_id: int, cost: RunCost) -> None:
    """Add to what a run has cost so far."""
    before = cost_of_run(connection, run_id)
    if before is None:
        connection.execute(insert(run_costs).values(run_id=run_id, **asdict(cost)))
        return
    together = {
        field.name: getattr(before, field.name) + getattr(cost, field.name)
        for field in fields(RunCost)
    }
    this = update(run_costs).where(run_costs.c.run_id == run_id)
    connection.execute(this.values(**together))


def cost_of_run(connection: Connection, run_id: int) -> RunCost | None:
    """What a run has cost; None where nothing was entered, as of imported runs."""
    columns = [run_costs.c[field.name] for field in fields(RunCost)]
    query = select(*columns).where(run_costs.c.run_id == run_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else RunCost(**row)
