"""A ledger that went back to a backup is told apart by what Redis remembers of it, and its queue is rebuilt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.engine.dispatch import LINEAGE_KEY
from app.engine.hints import Held, note
from app.engine.ledger.lineage import Lineage, read_lineage
from app.engine.ledger.rows import Due, Hint
from app.engine.reconcile import Reconciler
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import queued
from tests.support.stage import Stage, open_stage, unread_metrics

NOW = Lineage("7423/16400", 5_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest.fixture
def reconciler(stage: Stage) -> Reconciler:
    given: dict[str, Any] = {"worker_id": uuid4, "lease": 5.0, "metrics": unread_metrics(stage.queue)}
    return Reconciler(stage.queue, stage.database, stage.dispatcher, stage.events, **given)


async def noted_without_a_hint(stage: Stage, ledger: Connection) -> None:
    """What a backup leaves of a job that ran after it: queued and noted, and its hint was used up."""
    job = await queued(ledger, queue=stage.queue)
    due = Due(Hint(job.job_id, 1), job.tenant_id, bulk=False, priority=0, run_at=None)
    enqueued = await stage.dispatcher.enqueue([due])
    assert await note(stage.database, [Held(due.hint, stage.dispatcher, enqueued.epoch)])
    assert len((await stage.dispatcher.claim(10, 60.0)).hints) == 1
    await stage.redis.delete("homeroom:leases")


@pytest.mark.parametrize(
    ("remembered", "follows"),
    [
        (None, True),
        (NOW, True),
        (Lineage(NOW.ledger, 4_999), True),
        (Lineage(NOW.ledger, 5_001), False),
        (Lineage("7423/16401", 4_000), False),
    ],
)
def test_a_ledger_follows_itself_and_its_own_past(remembered: Lineage | None, follows: bool) -> None:
    assert NOW.follows(remembered) is follows


def test_redis_remembers_it_as_text() -> None:
    assert Lineage.parse(str(NOW)) == NOW
    assert Lineage.parse("") is None


async def test_the_same_ledger_is_not_rebuilt(stage: Stage, reconciler: Reconciler, ledger: Connection) -> None:
    await reconciler.reconcile()
    await noted_without_a_hint(stage, ledger)
    await reconciler.reconcile()
    assert await stage.dispatcher.depth() == (0, 0)  # a note of this epoch is believed


@pytest.mark.parametrize("what", ["position", "ledger"])
async def test_a_ledger_that_went_back_is_rebuilt(
    stage: Stage, reconciler: Reconciler, ledger: Connection, what: str
) -> None:
    await stage.execute("delete from jobs")
    await reconciler.reconcile()
    await noted_without_a_hint(stage, ledger)
    here = await read_lineage(ledger)
    later = here._replace(position=here.position + 2**40) if what == "position" else here._replace(ledger="another/1")
    await stage.redis.set(LINEAGE_KEY, str(later))
    epoch = await stage.dispatcher.epoch()
    await reconciler.reconcile()
    assert await stage.dispatcher.epoch() != epoch
    assert len((await stage.dispatcher.claim(10, 60.0)).hints) == 1
    remembered = (await stage.dispatcher.epoch_and_lineage())[1]
    assert remembered is not None
    assert (await read_lineage(ledger)).follows(remembered)  # once is enough
