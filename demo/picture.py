"""A picture of the console under load, where a Chromium is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH, HEIGHT = 1440, 1000
SETTLE_MS = 4000  # the plots fill with the samples of the last hour


async def take_picture(url: str, operator_key: str, path: Path) -> bool:
    """False where there is no browser to look with."""
    if CHROMIUM is None:
        return False
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where there is a browser

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            await page.goto(f"{url}/console")
            await page.get_by_label("key", exact=False).first.fill(operator_key)
            await page.keyboard.press("Enter")
            await page.wait_for_timeout(SETTLE_MS)
            path.parent.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=str(path))
        finally:
            await browser.close()
    return True
