"""Redis forgets, dies, stays away: what was accepted is done all the same, once."""

from __future__ import annotations

import redis.asyncio

from tests.support.fleet import KILLED
from tests.support.scene import QUEUES, Scene
from tests.support.trials import cheap_trials, is_long, trials
from tests.support.waiting import eventually

OUTAGE, LONG_OUTAGE = 3.0, 20.0


@cheap_trials
async def test_every_database_is_emptied_amid_work(scene: Scene, trial: int) -> None:
    async with redis.asyncio.Redis.from_url(scene.redis.url(QUEUES["chat"])) as queue, scene.load() as load:
        for _ in range(2):
            await scene.amid(load)
            await eventually(lambda: queue.zcard("homeroom:ready"), what="hints to forget")
            await queue.flushall()
        assert (await scene.fleet.statuses(load.jobs))["queued"]
    await scene.judge("FLUSHALL", load)
    assert scene.unharmed()


@cheap_trials
async def test_redis_is_killed_amid_work_and_comes_back(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        scene.redis.kill()
        assert await eventually(lambda: _exit_code(scene), what="the end of Redis") == KILLED
        await scene.restart(scene.redis)
    await scene.judge("kill -9 of Redis", load)
    assert scene.unharmed()


@trials
async def test_redis_stays_away_for_long(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        scene.redis.kill()
        known = len(load.jobs)
        await scene.restart(scene.redis, after=LONG_OUTAGE if is_long(trial) else OUTAGE)
        assert len(load.jobs) > known  # the API accepted meanwhile
        assert (await scene.fleet.statuses(load.jobs))["queued"]
    await scene.judge("outage of Redis", load)
    assert scene.unharmed()


async def _exit_code(scene: Scene) -> int | None:
    return scene.redis.exit_code
