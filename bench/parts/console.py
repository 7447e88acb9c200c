"""The console in a real browser, over a ledger of a million jobs and fifty workers: first paint, and slowest answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response, sync_playwright

from bench.contestants import HTTP
from bench.ours.house import free_port
from bench.parts.bench import Bench
from bench.parts.processes import start_api, start_base_worker
from bench.stage import BenchFailed

JOBS, WORKERS, TENANTS = 1_000_000, 50, 40
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOWN_WITHIN = 60_000  # milliseconds
PAINT = "performance.getEntriesByType('paint').find((each) => each.name === 'first-contentful-paint')?.startTime"

# A view's address, and what is there once it is whole. A tenant and a job come from the ledger.
VIEWS = {
    "overview": ("#/overview", "article.queue"),
    "jobs": ("#/jobs", "tbody tr"),
    "jobs of a tenant that failed": ("#/jobs?tenant=school-8&status=failed", "tbody tr"),
    "a job": ("#/jobs/{job}", "ol.events li"),
    "lanes": ("#/lanes?queue=chat", "tbody tr"),
    "tenants": ("#/tenants?queue=exam", "tbody tr"),
    "a tenant": ("#/tenants/school-8", "tbody tr"),
}

# A day of forty schools: one in ten waits, a third of these in lanes of the chat, one in fifty has failed.
_FILL = f"""
insert into jobs (job_id, tenant_id, queue, kind, status, attempt, progress, lane_id, lane_seq, input, result, error,
                  max_attempts, timeout_seconds, dispatched_at, created_at, updated_at, started_at, begun_at,
                  finished_at)
select gen_random_uuid(), 'school-' || n % {TENANTS}, queue, queue || '.work', status, (status <> 'queued')::int,
       case status when 'done' then 100 else 0 end,
       case when queue = 'chat' then 'student:s' || n % 4001 || ':main' end, case when queue = 'chat' then n end,
       '{{"text": "What is a fraction?"}}', case status when 'done' then '{{"score": 1}}'::jsonb end,
       case status when 'failed' then 'provider_unavailable' end,
       3, 60, created, created, created, ended, ended, ended
from (
    select n, (array['chat', 'exam', 'assignment', 'profile', 'base'])[1 + (n / 50) % 5] as queue,
           case when n % 10 = 3 then 'queued' when n % 50 = 8 then 'failed' else 'done' end as status,
           now() - make_interval(secs => 86400.0 * n / $1) as created,
           case when n % 10 <> 3 then now() - make_interval(secs => 86400.0 * n / $1 - 2) end as ended
    from generate_series(1, $1::int) n
) made
"""
_ATTEMPTS = """
insert into job_attempts (job_id, attempt, tenant_id, claim_token, status, started_at, finished_at, duration_ms, error)
select job_id, 1, tenant_id, gen_random_uuid(), case status when 'done' then 'success' else 'failure' end, started_at,
       finished_at, 2000, error
from jobs where finished_at is not null
"""
_LANES = """
insert into lanes (tenant_id, queue, lane_id, next_seq)
select tenant_id, queue, lane_id, max(lane_seq) + 1 from jobs where lane_id is not null group by 1, 2, 3
"""
_WORKERS = """
insert into workers (worker_id, queue, host, pid, version, slots, load, lease_until)
select gen_random_uuid(), (array['chat', 'exam', 'assignment', 'profile', 'base'])[1 + n % 5], 'node-' || n, n, '0.1.0',
       20, n % 20, now() + interval '1 hour'
from generate_series(1, $1::int) n
"""
_SAMPLES = """
insert into queue_samples
select queue, date_bin('10 seconds', now() - make_interval(secs => 10 * i), 'epoch'), 20000, 6000, 0, 14000, 20, 1.5,
       (200 * (1 + sin(i / 30.0)))::int, i % 3, 1 + sin(i / 20.0), 2.5 + sin(i / 20.0)
from unnest(array['chat', 'exam', 'assignment', 'profile', 'base']) as made (queue), generate_series(1, 355) i
"""


def run(bench: Bench) -> None:
    jobs = bench.jobs(JOBS, least=20_000)
    with bench.turn(HTTP, 1, environment={"PORT": str(free_port())}) as turn:
        _fill(bench, jobs)
        bench.house.pause("base")  # its worker is there for what it does beside jobs: it samples the queues
        start_base_worker(turn)
        address = f"http://127.0.0.1:{start_api(turn)}/console/"
        failed = bench.house.value("select job_id from jobs where status = 'failed' limit 1")
        with _chromium() as browser:
            for number in range(bench.runs):
                bench.calmly(partial(_look_at_all, bench, browser, address, str(failed)))
                print(f"console  run {number + 1} at {jobs:,} jobs", flush=True)


def _fill(bench: Bench, jobs: int) -> None:
    bench.house.add_tenants([f"school-{number}" for number in range(TENANTS)])
    bench.house.execute(_FILL, jobs)
    for statement in (_ATTEMPTS, _LANES, _SAMPLES):
        bench.house.execute(statement)
    bench.house.execute(_WORKERS, WORKERS)
    bench.house.execute("vacuum analyze")


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise BenchFailed("no Chromium is installed. Cure: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


def _look_at_all(bench: Bench, browser: Browser, address: str, job: str) -> None:
    for view, (where, shown) in VIEWS.items():
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(f"sessionStorage.setItem('homeroom.operator', '{bench.stage.admin_key}')")
        page = context.new_page()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))  # noqa: B023, PLW0108 - playwright marks its handlers
        page.goto(address + where.format(job=job))
        page.locator(shown).first.wait_for(timeout=SHOWN_WITHIN)
        bench.figures.add("console", view, "first paint", "ms", float(page.evaluate(PAINT)))
        bench.figures.add("console", view, "slowest answer", "ms", _slowest(page, answers))
        context.close()


def _slowest(page: Page, answers: Sequence[Response]) -> float:
    """Of what the view asked the API and has been answered: from the request's last byte to the answer's first one.
    Streams of events stay open; their first byte counts like any other's."""
    page.wait_for_timeout(300)
    waits = []
    for answer in answers:
        if "/console/" in urlsplit(answer.url).path:
            continue
        if not answer.ok:
            raise BenchFailed(f"the console was answered {answer.status} by {urlsplit(answer.url).path}")
        timing = answer.request.timing
        waits.append(timing["responseStart"] - timing["requestStart"])
    return max(waits)
