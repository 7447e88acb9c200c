"""How far into its way a job is when Postgres is at its row, and when it is at its begin."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import quantile
from bench.parts.bench import Bench

# `now()` in a statement that stands alone is when the server began with it.
_MOMENTS = """
select extract(epoch from created_at)::float8 as written,
       extract(epoch from coalesce((select min(started_at) from job_attempts a where a.job_id = j.job_id),
                                   begun_at))::float8 as begun
from jobs j where kind = $1 order by created_at
"""


def add_stages(bench: Bench, part: str, who: str, kind: str, asked: Sequence[float], *, first: int) -> None:
    """For jobs that were asked for one after the other, at these moments; the first ones are warm-up."""
    rows = bench.house.fetch(_MOMENTS, kind)[first:]
    moments = list(zip(asked, rows, strict=True))
    for what, column in (("its row", "written"), ("its begin", "begun")):
        waits = [(row[column] - moment) * 1000 for moment, row in moments]
        bench.figures.add(part, who, f"{what}, p50", "ms", quantile(waits, 0.5))
