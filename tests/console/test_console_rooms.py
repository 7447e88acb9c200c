"""What holds for every view: it weighs little, is accessible, obeys its policy, fits a phone, and never grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Page, expect

from app.console import FILES, POLICY
from app.engine.events import Event, EventLog
from app.engine.ledger.finish import End
from app.kit.db import Connection
from app.kit.redis import connect, disconnect
from tests.console.conftest import PHONE, Console, barriers
from tests.support.deployment import Deployment
from tests.support.jobs import begun, end, live_worker, queued

HEAVIEST = 200_000  # bytes of everything that there is, before any compression
GROWTH = 3_000_000  # bytes of a heap that may come and go


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def a_school_day(deployment: Deployment, api: httpx.AsyncClient, console: Console) -> AsyncIterator[str]:
    """Something of everything to show: the id of a failed job in a lane, so that every part of a page is there."""
    from app.core.preflight import open_database  # noqa: PLC0415 - of this fixture alone

    database = await open_database(deployment.settings(), "console tests")
    async with database.ledger.acquire() as ledger:
        worker = await live_worker(ledger, queue="exam")
        await live_worker(ledger, queue="chat")
        for _ in range(3):
            await end(ledger, await begun(ledger, await queued(ledger, queue="exam"), worker), End.DONE)
        jobs = [await queued(ledger, queue="exam", lane_id="student:1") for _ in range(3)]
        failed = await begun(ledger, jobs[0], worker)
        await end(ledger, failed, End.FAILED, error="timeout", error_detail="It took too long.")
        await begun(ledger, jobs[1], worker)
        await ledger.execute(_AN_HOUR)
        yield str(jobs[0].job_id)
    await database.close()


# An hour's samples of two queues, with a gap in the middle.
_AN_HOUR = """
insert into queue_samples
select queue, date_bin('10 seconds', now() - make_interval(secs => 10 * i), 'epoch'), 5, 2, 1, 2, 3, 1.5,
       (20 * (1 + sin(i / 30.0)))::int, case when i % 40 = 0 then 2 else 0 end, 1 + sin(i / 20.0), 2.5 + sin(i / 20.0)
from unnest(array['exam', 'chat']) as made (queue), generate_series(1, 355) i where i not between 150 and 180
"""

VIEWS = {
    "overview": ("#/overview", "article.queue"),
    "jobs": ("#/jobs", "tbody tr"),
    "job": ("#/jobs/{job}", "ol.events li"),
    "lanes": ("#/lanes", "tbody tr"),
    "tenants": ("#/tenants?queue=exam", "tbody tr"),
    "tenant": ("#/tenants/demo", "tbody tr"),
    "uploads": ("#/uploads", ".empty"),
    "chat": ("#/chat?person=s1", "textarea"),
    "login": ("#/overview", "main form"),
}


def keys_of(console: Console, view: str) -> dict[str, str]:
    if view == "login":
        return {}
    return console.as_operator | console.as_school


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_is_accessible_in_light_and_dark_and_fits_a_phone(
    console: Console, screenshots: Path, a_school_day: str, view: str
) -> None:
    address, shown = VIEWS[view]
    async with console.page(address.format(job=a_school_day), keys=keys_of(console, view)) as page:
        await expect(page.locator(shown).first).to_be_visible()
        assert await barriers(page) == []
        await page.screenshot(path=screenshots / f"{view}-light.png")
        await page.emulate_media(color_scheme="dark")
        assert await barriers(page, "color-contrast") == []  # what else holds is the same in the dark
        await page.screenshot(path=screenshots / f"{view}-dark.png")
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        await page.screenshot(path=screenshots / f"{view}-phone.png")


async def test_dialogs_are_accessible_too(console: Console, screenshots: Path) -> None:
    async with console.page("#/overview") as page:
        await page.get_by_role("button", name="Pause exam").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await barriers(page) == []
        await page.screenshot(path=screenshots / "pause-light.png")


def test_the_whole_console_weighs_little() -> None:
    files = [each for each in FILES.rglob("*") if each.is_file()]
    assert {each.suffix for each in files} == {".html", ".css", ".js", ".svg"}
    assert sum(each.stat().st_size for each in files) < HEAVIEST


async def test_nothing_is_asked_of_anybody_else(console: Console) -> None:
    asked: list[str] = []
    async with console.page(keys={}) as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert asked
    assert {url for url in asked if not url.startswith(console.url)} == set()


async def test_files_are_served_to_be_kept_and_asked_for_again(api: httpx.AsyncClient) -> None:
    moved = await api.get("/console")
    assert (moved.status_code, httpx.URL(moved.headers["Location"]).path) == (307, "/console/")
    for path, media in (
        ("", "text/html"),
        ("js/main.js", "text/javascript"),
        ("app.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = await api.get(f"/console/{path}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(media)
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        again = await api.get(f"/console/{path}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    for path in ("nothing.js", "../__init__.py", "%2e%2e/__init__.py", "js/"):
        answer = await api.get(f"/console/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_script_that_gets_into_the_page_does_not_run(console: Console) -> None:
    async with console.page(keys={}, noted="Content Security Policy") as page:
        await page.evaluate(
            "() => { const script = document.createElement('script'); script.textContent = 'window.ran = true';"
            " document.head.append(script); }"
        )
        assert await page.evaluate("window.ran") is None


async def heap(cdp: CDPSession) -> int:
    """What is left of the page's memory once the garbage is gone."""
    for _ in range(3):
        await cdp.send("HeapProfiler.collectGarbage")
    return int((await cdp.send("Runtime.getHeapUsage"))["usedSize"])


async def elements(page: Page) -> int:
    return int(await page.evaluate("document.querySelectorAll('*').length"))


async def grown(page: Page, work: Callable[[], Awaitable[Any]]) -> tuple[int, int]:
    """How many bytes and elements the page has more after the work."""
    cdp = await page.context.new_cdp_session(page)
    bytes_before, elements_before = await heap(cdp), await elements(page)
    await work()
    return await heap(cdp) - bytes_before, await elements(page) - elements_before


async def test_an_hour_of_a_job_s_events_leaves_nothing_behind(
    console: Console, deployment: Deployment, ledger: Connection
) -> None:
    job = await begun(ledger, await queued(ledger, queue="assignment"), await live_worker(ledger, queue="assignment"))
    redis = connect(deployment.settings().shared_redis_url)
    events = EventLog(redis)

    async def hear(first: int, count: int) -> None:
        """Changing kinds, so that each is a line of its own."""
        for start in range(first, first + count, 250):
            await events.append(_lines(job.job_id, start, 250))

    async with console.page(f"#/jobs/{job.job_id}") as page:
        log = page.get_by_label("Live events").locator("li")
        await hear(0, 500)
        await expect(page.get_by_text("50", exact=False).filter(has_text="events heard")).to_be_visible()
        await expect(log).to_have_count(200)

        async def an_hour() -> None:
            await hear(500, 7_000)
            await expect(log.last).to_contain_text("7499")

        more_bytes, more_elements = await grown(page, an_hour)
        assert await log.count() == 200
    await disconnect(redis)
    assert more_elements < 20
    assert more_bytes < GROWTH


def _lines(job_id: UUID, start: int, count: int) -> list[Event]:
    return [
        Event(
            "demo",
            job_id,
            1,
            *(("progress", {"progress": 50, "step": f"{number}"}) if number % 2 else ("delta", {"text": "…"})),
        )
        for number in range(start, start + count)
    ]


async def test_an_hour_of_looking_at_the_overview_leaves_nothing_behind(console: Console) -> None:
    async with console.page("#/overview") as page:
        await page.clock.install()
        await page.reload()
        await expect(page.locator("article.queue")).to_have_count(5)
        queues = "**/admin/queues"

        async def look(times: int) -> None:
            for _ in range(times):
                async with page.expect_response(queues):
                    await page.clock.run_for(2_000)

        await look(10)
        more_bytes, more_elements = await grown(page, lambda: look(60))
    assert more_elements < 20
    assert more_bytes < GROWTH


async def test_views_that_were_left_leave_nothing_behind(console: Console, a_school_day: str) -> None:
    views = ["#/jobs", f"#/jobs/{a_school_day}", "#/lanes", "#/tenants", "#/overview"]
    async with console.page("#/overview") as page:

        async def walk(rounds: int) -> None:
            for _ in range(rounds):
                for view in views:
                    await page.evaluate(f"location.hash = '{view}'")
                    await expect(page.locator("main .view .panel").first).to_be_visible()
                    await asyncio.sleep(0)
            await expect(page.locator("article.queue")).to_have_count(5)

        await walk(2)
        more_bytes, more_elements = await grown(page, lambda: walk(5))
    assert more_elements < 50
    assert more_bytes < GROWTH
