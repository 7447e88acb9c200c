"""Every Redis server that a queue or the shared data lives on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from redis.exceptions import AuthenticationError, ResponseError

from app.core.config import Settings
from app.core.doctor.clocks import judge_clock, offset_of
from app.core.doctor.configuration import redis_urls
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.kit.redis import REDIS_AWAY, Client, connect, disconnect, place

OLDEST = (6, 2)  # ZRANGE and the streams' commands that the scripts use
ROOMY, FULL = 0.8, 0.95  # of maxmemory


async def check_redis(settings: Settings) -> Findings:
    seen: set[tuple[str, int]] = set()
    for url in redis_urls(settings):
        host, port, database = place(url)
        server = f"{host}:{port}"
        first = (host, port) not in seen
        seen.add((host, port))
        redis = connect(url)
        try:
            info: Mapping[str, Any] = await redis.info()
            if first:
                async for finding in _server(redis, server, info, settings.worker.lease):
                    yield finding
        except AuthenticationError:
            yield fail(f"redis {server}", "it refuses the password", "Correct the password in the url.")
        except ResponseError as error:
            yield fail(f"redis {server}/{database}", f"{error}", "Raise `databases` on that server to 8 or more.")
        except REDIS_AWAY as error:
            if first:
                yield fail(
                    f"redis {server}",
                    f"it cannot be reached: {error or type(error).__name__}",
                    "Start it, or correct REDIS_URL or the queue's <QUEUE>_REDIS_URL. The API accepts meanwhile.",
                )
        finally:
            await disconnect(redis)


async def _server(redis: Client, server: str, info: Mapping[str, Any], lease: float) -> Findings:
    yield _version(server, info)
    yield _eviction(server, info)
    yield _persistence(server, info)
    yield _memory(server, info)
    if info.get("role") != "master":
        cure = "Name the primary in the url, or the Sentinels that know it (sentinel://...)."
        yield fail(f"redis {server}", "it is a replica: nothing can be written to it", cure)
    offset, error = await offset_of(partial(_time_of, redis))
    yield judge_clock(f"redis {server}", offset, error, lease)


async def _time_of(redis: Client) -> float:
    seconds, microseconds = await redis.time()
    return float(seconds) + float(microseconds) / 1e6


def _version(server: str, info: Mapping[str, Any]) -> Finding:
    product = info.get("server_name", "redis")
    version = str(info.get(f"{product}_version", info["redis_version"]))
    found = f"{product} {version}"
    if tuple(int(part) for part in str(info["redis_version"]).split(".")[:2]) < OLDEST:
        return fail(f"redis {server}", f"{found} is too old", "Use Redis 6.2 or newer, or Valkey.")
    return ok(f"redis {server}", found)


def _eviction(server: str, info: Mapping[str, Any]) -> Finding:
    policy = info["maxmemory_policy"]
    if policy == "noeviction":
        return ok("redis eviction", f"{server}: noeviction")
    return fail(
        "redis eviction",
        f"{server} evicts keys (maxmemory-policy {policy}): hints and leases would vanish in silence",
        "Set `maxmemory-policy noeviction` in its configuration; no process starts until then.",
    )


def _persistence(server: str, info: Mapping[str, Any]) -> Finding:
    if not info["aof_enabled"]:
        return warn(
            "redis persistence",
            f"{server} keeps no append-only file: a restart loses plain ARQ jobs and live events",
            "Set `appendonly yes`. Accepted jobs are in Postgres, and survive either way.",
        )
    if info.get("aof_last_write_status") != "ok":
        cure = "Look at that server's disk and log: full, read-only, or failing."
        return fail("redis persistence", f"{server} could not write its append-only file", cure)
    return ok("redis persistence", f"{server}: append-only file, last write ok")


def _memory(server: str, info: Mapping[str, Any]) -> Finding:
    used, limit = int(info["used_memory"]), int(info.get("maxmemory") or info.get("total_system_memory") or 0)
    found = f"{server}: {used / 2**20:.0f} MiB of {limit / 2**20:.0f}"
    cure = "Give it more memory, or move a queue to a server of its own (CHAT_REDIS_URL)."
    if limit and used > FULL * limit:
        return fail("redis memory", f"{found}: the next writes are refused", cure)
    return warn("redis memory", found, cure) if limit and used > ROOMY * limit else ok("redis memory", found)
