"""The console in a real browser over the real API, with whatever the page complains about held against it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.deployment import Deployment
from tests.support.processes import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = ROOT / ".screenshots"  # kept after a run, ignored by git
PHONE = (390, 844)
DESK = (1440, 900)

PATIENCE = 60_000  # milliseconds: of a machine that does other things too

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Console:
    """The console of one deployment."""

    browser: Browser
    url: str
    deployment: Deployment

    @property
    def as_operator(self) -> dict[str, str]:
        return {"operator": self.deployment.keys["operator_key"]}

    @property
    def as_school(self) -> dict[str, str]:
        return {"tenant": self.deployment.keys["api_key"]}

    @asynccontextmanager
    async def page(
        self, view: str = "", *, size: tuple[int, int] = DESK, noted: str = "", keys: dict[str, str] | None = None
    ) -> AsyncIterator[Page]:
        """A tab that shows this view, signed in as an operator or with these keys. No error of the page is forgiven:
        not a script's, not one of the policy, not one of the network but those that the browser is to have `noted`."""
        complaints: list[str] = []
        width, height = size
        context = await self.browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        for name, key in (self.as_operator if keys is None else keys).items():
            await context.add_init_script(f"window.sessionStorage?.setItem('homeroom.{name}', '{key}')")
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        try:
            await page.goto(f"{self.url}/console/{view}")
            yield page
        finally:
            await context.close()
        assert [each for each in complaints if not noted or noted not in each] == []
        assert complaints or not noted


async def barriers(page: Page, *rules: str) -> list[tuple[str, str]]:
    """What on this page is a serious barrier to somebody: axe's rule (of these, or of all), and where."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = (await Axe().run(page, context={"exclude": [["iframe"]]}, options=options)).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium is installed. Cure: apt-get install chromium.")
        pytest.skip("no Chromium is installed; apt-get install chromium")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=["--js-flags=--expose-gc"])
        yield launched
        await launched.close()


@pytest.fixture(scope="module")
def console(browser: Browser, api: httpx.AsyncClient, deployment: Deployment) -> Console:
    return Console(browser, str(api.base_url).rstrip("/"), deployment)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS
