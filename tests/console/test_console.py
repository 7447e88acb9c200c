"""What an operator does at the console, done by hand: click, type, read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from app.engine.ledger.finish import End
from app.engine.ledger.queues import queue_overview
from app.kit.db import Connection
from tests.console.conftest import Console
from tests.support.deployment import ADMIN_KEY, Deployment, serve_worker
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.waiting import eventually

ECHO = {"kind": "diagnostics.echo"}
NOBODY = "assignment"  # a queue that no worker of these tests serves
SIGN_IN = "Operator key or admin key"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def base_worker(deployment: Deployment) -> AsyncIterator[None]:
    async with serve_worker(deployment, "base", LEASE_SECONDS="60", HEARTBEAT_SECONDS="1"):
        yield


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> dict[str, str]:
    return deployment.headers("operator_key")


async def submit(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/v1/jobs", json=ECHO | fields)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def state(ledger: Connection, queue: str) -> str:
    return str((await queue_overview(ledger, [queue]))[0]["state"])


async def confirm(page: Page, verb: str) -> None:
    await page.get_by_role("dialog").get_by_role("button", name=verb).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_key_opens_the_console_for_this_tab_alone(console: Console) -> None:
    async with console.page(keys={}) as page:
        await expect(page.get_by_label(SIGN_IN)).to_be_focused()
        await page.keyboard.type(ADMIN_KEY)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Queues")).to_be_visible()
        assert await page.evaluate("Object.keys(localStorage)") == []
        await page.reload()
        await expect(page.get_by_role("heading", name="Queues")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label(SIGN_IN)).to_be_visible()
        assert await page.evaluate("sessionStorage.getItem('homeroom.operator')") is None


@pytest.mark.parametrize(("key", "told"), [("no-such-key", "X-Admin-Key"), ("hr_demo_0.no", "key")])
async def test_a_wrong_key_is_refused_in_the_api_s_words(console: Console, key: str, told: str) -> None:
    async with console.page(keys={}, noted="401") as page:
        await page.get_by_label(SIGN_IN).fill(key)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text(told)
        await expect(page.get_by_label(SIGN_IN)).to_be_focused()


async def test_the_overview_shows_queues_and_who_works_on_them(console: Console, api: httpx.AsyncClient) -> None:
    for _ in range(3):
        await submit(api, queue=NOBODY)
    async with console.page("#/overview") as page:
        worker = page.get_by_role("region", name="Workers").get_by_role("row").filter(has_text="base")
        await expect(worker).to_contain_text("0 / 10")
        await expect(worker).to_contain_text("Alive")
        base, idle = (page.get_by_role("article", name=f"Queue {name}") for name in ("base", NOBODY))
        await expect(base).to_contain_text("Running")
        await expect(idle).to_contain_text("No worker")
        await expect(idle.locator("dl div").filter(has_text="Ready").nth(1)).to_contain_text("3")
        await expect(base.get_by_role("img", name="Throughput, the last hour")).to_be_visible()
        await expect(base.get_by_role("img", name="Latency, the last hour")).to_be_visible()


async def test_a_pause_says_first_what_will_happen(console: Console, ledger: Connection) -> None:
    worker = await live_worker(ledger, queue="profile")
    await begun(ledger, await queued(ledger, queue="profile"), worker)
    for _ in range(2):
        await queued(ledger, queue="profile")
    async with console.page("#/overview") as page:
        await page.get_by_role("button", name="Pause profile").click()
        dialog = page.get_by_role("dialog", name="Pause profile?")
        await expect(dialog).to_contain_text("1 job that runs will go on to the end")
        await expect(dialog).to_contain_text("2 jobs that wait (2 of them ready) will stay waiting")
        await dialog.get_by_role("button", name="Cancel").click()
        assert await state(ledger, "profile") == "running"
        await page.get_by_role("button", name="Pause profile").click()
        await confirm(page, "Pause profile")
        await expect(page.get_by_role("article", name="Queue profile")).to_contain_text("Paused")
        assert await state(ledger, "profile") == "paused"
        await page.get_by_role("button", name="Drain profile").click()
        await confirm(page, "Drain profile")
        assert await state(ledger, "profile") == "draining"
        await page.get_by_role("button", name="Resume profile").click()
        await expect(page.get_by_role("dialog")).to_contain_text("2 waiting jobs may begin again")
        await confirm(page, "Resume profile")
        assert await state(ledger, "profile") == "running"


async def test_jobs_are_found_by_filter_and_by_id(console: Console, api: httpx.AsyncClient) -> None:
    wanted = await submit(api, queue=NOBODY, lane="found:by:lane")
    await submit(api, queue=NOBODY)
    async with console.page("#/jobs") as page:
        rows = page.get_by_role("region", name="Jobs").locator("tbody tr")
        await page.get_by_label("Lane").fill("found:by:lane")
        await page.get_by_role("button", name="Apply").click()
        await expect(rows).to_have_count(1)
        assert "lane=found%3Aby%3Alane" in page.url  # an address that somebody else can open
        await page.get_by_role("link", name="Failed").click()
        await expect(page.get_by_text("No job fits")).to_be_visible()
        await page.keyboard.press("/")
        await page.keyboard.type(wanted["job_id"])
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="diagnostics.echo")).to_be_visible()
        await expect(page.locator("dl")).to_contain_text(wanted["job_id"])


async def test_pages_of_jobs_lead_on(console: Console, ledger: Connection) -> None:
    for _ in range(55):
        await queued(ledger, tenant_id="pages", queue=NOBODY)
    async with console.page("#/jobs?tenant=pages") as page:
        rows = page.get_by_role("region", name="Jobs").locator("tbody tr")
        await expect(rows).to_have_count(50)
        await page.get_by_role("link", name="Older").click()
        await expect(rows).to_have_count(5)
        await page.get_by_role("link", name="Newest").click()
        await expect(rows).to_have_count(50)


async def test_a_job_is_inspected_and_who_looks_inside_is_on_record(
    console: Console, api: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    job = (
        await api.post("/v1/jobs", json=ECHO | {"input": {"said": "in class"}}, headers={"Prefer": "wait=20"})
    ).json()
    async with console.page(f"#/jobs/{job['job_id']}") as page:
        attempts = page.get_by_role("region", name="Attempts").locator("tbody tr")
        await expect(attempts).to_have_count(1)
        await expect(attempts).to_contain_text("Success")
        await expect(page.get_by_label("Live events").locator("li").last).to_contain_text("done")
        await expect(page.get_by_role("img", name="attempt 1 success")).to_be_visible()
        assert "in class" not in await page.inner_text("main")
        await page.get_by_role("button", name="Show input").click()
        await expect(page.get_by_label("input", exact=True)).to_have_text(json.dumps({"said": "in class"}, indent=2))
    log = await api.get("/admin/audit", params={"tenant": "demo", "action": "job.read_content"}, headers=operator)
    assert [(each["target"], each["detail"]) for each in log.json()["data"]] == [
        (job["job_id"], {"include": ["input"]})
    ]


async def test_what_a_job_says_is_never_markup(console: Console, ledger: Connection) -> None:
    nasty = "<img src=x onerror=document.title='broken'>"
    worker = await live_worker(ledger, queue=NOBODY)
    job = await queued(ledger, tenant_id="nasty", queue=NOBODY, kind=nasty, lane_id=nasty)
    await end(ledger, await begun(ledger, job, worker), End.FAILED, error=nasty, error_detail=nasty)
    async with console.page(f"#/jobs/{job.job_id}") as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text(nasty)
        await expect(page.locator(".error p")).to_have_text(nasty)
        assert await page.locator("main img").count() == 0


async def test_a_waiting_job_is_cancelled_and_a_failed_one_retried(
    console: Console, ledger: Connection, api: httpx.AsyncClient
) -> None:
    waiting = await submit(api, queue=NOBODY)
    async with console.page(f"#/jobs/{waiting['job_id']}") as page:
        await page.get_by_role("button", name="Cancel…").click()
        await expect(page.get_by_role("dialog")).to_contain_text("nothing of it will run")
        await confirm(page, "Cancel the job")
        await expect(page.locator(".head .status")).to_have_text("Cancelled")
        await expect(page.get_by_role("button", name="Cancel…")).to_be_hidden()
    assert (await api.get(waiting["links"]["self"])).json()["status"] == "cancelled"

    failed = await queued(ledger, queue=NOBODY)
    worker = await live_worker(ledger, queue=NOBODY)
    await end(ledger, await begun(ledger, failed, worker), End.FAILED, error="broken_paper", error_detail="page 3")
    async with console.page(f"#/jobs/{failed.job_id}") as page:
        await expect(page.locator(".error")).to_contain_text("broken_paper")
        await page.get_by_role("button", name="Retry…").click()
        await confirm(page, "Retry the job")
        await expect(page.locator(".head .status")).to_have_text("Queued")
        await expect(page.locator(".error")).to_be_hidden()


async def test_failed_jobs_are_counted_and_replayed_together(console: Console, ledger: Connection) -> None:
    worker = await live_worker(ledger, queue=NOBODY)
    for error in ("gone_model", "gone_model", "gone_model", "other_error"):
        job = await queued(ledger, tenant_id="replayed", queue=NOBODY)
        await end(ledger, await begun(ledger, job, worker), End.FAILED, error=error)
    async with console.page("#/jobs?tenant=replayed&status=failed&error=gone_model") as page:
        await expect(page.get_by_role("region", name="Jobs").locator("tbody tr")).to_have_count(3)
        await page.get_by_role("button", name="Replay these…").click()
        await expect(page.get_by_role("dialog")).to_contain_text("3 of test.kind: gone_model")
        await confirm(page, "Queue 3 again")
        await expect(page.get_by_text("No job fits")).to_be_visible()
    found = await ledger.fetch("select status, count(*) from jobs where tenant_id = 'replayed' group by 1 order by 1")
    assert [tuple(each) for each in found] == [("failed", 1), ("queued", 3)]


async def test_lanes_show_who_waits_for_whom(console: Console, ledger: Connection) -> None:
    worker = await live_worker(ledger, queue=NOBODY)
    jobs = [await queued(ledger, tenant_id="laned", queue=NOBODY, lane_id="student:7") for _ in range(3)]
    await begun(ledger, jobs[0], worker)
    async with console.page("#/lanes?tenant=laned") as page:
        row = page.get_by_role("region", name="Lanes").locator("tbody tr")
        await expect(row).to_contain_text("student:7")
        await expect(row).to_contain_text("Running")
        await expect(row.locator(".dots i")).to_have_count(2)
    async with console.page(f"#/jobs/{jobs[2].job_id}") as page:
        await expect(page.get_by_text("2 jobs before it.")).to_be_visible()
        neighbours = page.get_by_role("region", name="Neighbours in the lane").locator("tbody tr")
        await expect(neighbours).to_have_count(3)
        await expect(neighbours.nth(2)).to_have_attribute("aria-current", "true")


async def test_tenants_show_their_share_and_what_is_due(
    console: Console, ledger: Connection, api: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    await api.put("/admin/tenants/heavy", json={"limits": {"weight": 3.0}}, headers=operator)
    await api.put("/admin/tenants/light", json={}, headers=operator)
    worker = await live_worker(ledger, queue="exam")
    for tenant, jobs in (("heavy", 3), ("light", 1)):
        for _ in range(jobs):
            await end(
                ledger, await begun(ledger, await queued(ledger, tenant_id=tenant, queue="exam"), worker), End.DONE
            )
        await queued(ledger, tenant_id=tenant, queue="exam")
    async with console.page("#/tenants?queue=exam") as page:
        rows = page.get_by_role("region", name="Tenants").locator("tbody tr")
        await expect(rows.filter(has_text="heavy")).to_contain_text("75% of 75%")
        await expect(page.get_by_role("region", name="Fairness")).to_contain_text("1.000")
        await page.get_by_role("link", name="heavy").click()
        await expect(page.get_by_role("heading", name="heavy")).to_be_visible()
        await expect(page.locator("dl.facts")).to_contain_text("weight3")


async def test_everything_is_reached_by_keyboard(console: Console, api: httpx.AsyncClient) -> None:
    job = await submit(api, queue=NOBODY, lane="by:keyboard")
    async with console.page("#/overview") as page:
        await expect(page.get_by_role("heading", name="Workers")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("g")
        await page.keyboard.press("j")
        await expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        await expect(page.locator("main")).to_be_focused()  # where the new view begins
        await expect(page.locator("tbody a.row").first).to_be_visible()
        await page.keyboard.press("j")
        await expect(page.locator("tbody a.row").first).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("dl")).to_contain_text(job["job_id"])
        await page.get_by_role("button", name="Cancel…").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog").get_by_role("button", name="Cancel the job")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="Cancel…")).to_be_focused()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Find a job by its id")


async def test_while_the_api_is_away_the_page_says_so_and_comes_back(console: Console) -> None:
    async with console.page("#/overview", noted="ERR_INTERNET_DISCONNECTED") as page:
        worker = page.get_by_role("region", name="Workers").get_by_role("row").filter(has_text="base")
        await expect(worker).to_be_visible()
        await page.context.set_offline(True)
        await expect(page.get_by_role("status")).to_contain_text("The API does not answer")
        await expect(worker).to_be_visible()  # as it was last known
        await page.context.set_offline(False)
        await expect(page.get_by_role("status")).to_contain_text("answers again")


async def test_a_job_that_never_was_is_told_kindly(console: Console) -> None:
    async with console.page("#/jobs/no-such-job", noted="404") as page:
        await expect(page.get_by_text("No such job")).to_be_visible()


async def test_a_running_job_is_watched_to_its_end(console: Console, api: httpx.AsyncClient) -> None:
    job = (await api.post("/v1/jobs", json={"kind": "diagnostics.sleep", "input": {"seconds": 60}})).json()

    async def runs() -> bool:
        return bool((await api.get(job["links"]["self"])).json()["status"] == "processing")

    await eventually(runs)
    async with console.page(f"#/jobs/{job['job_id']}") as page:
        await expect(page.get_by_label("Live events").locator("li").last).to_contain_text("started")
        await page.get_by_role("button", name="Cancel…").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Its worker stops it")
        await confirm(page, "Cancel the job")
        await expect(page.get_by_label("Live events").locator("li").last).to_contain_text("cancelled")
        await expect(page.locator(".head .status")).to_have_text("Cancelled")
