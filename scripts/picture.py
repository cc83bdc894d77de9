"""Makes the pictures in `docs/pictures` from a demo of its own: `python -m scripts.picture`. Needs chromium."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Locator, Page

from scripts.packing import pack
from tests.browser.chromium import chromium
from tests.browser.running_demo import RunningDemo, running_demo

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WORST = "203.0.113.66"
"""The address of the sample logs whose card is shown."""

WITHOUT_POINTER = ":root { --wash: #fff; } .card { box-shadow: none !important; } .open-thread.quiet { display: none; }"


async def make() -> None:
    """Write both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_demo(Path(folder)) as demo, chromium() as browser:
            await _card_alone(await _page(browser, demo, height=1200, scale=2))
            await _workspace(await _page(browser, demo, height=880, scale=1.25))


async def _page(browser: Browser, demo: RunningDemo, *, height: int, scale: float) -> Page:
    context = await browser.new_context(
        viewport={"width": 1280, "height": height}, device_scale_factor=scale, locale="en-GB", timezone_id="UTC"
    )
    page = await context.new_page()
    await page.goto(demo.page)
    await _alert(page).get_by_text("High risk").wait_for()
    return page


def _alert(page: Page) -> Locator:
    cards = page.locator("#messages .message").filter(has=page.locator('[data-action-id="incident:details"]'))
    return cards.filter(has_text=WORST)


async def _card_alone(page: Page) -> None:
    # The page forbids styles that are not its own, so the rules go where the browser keeps those of extensions.
    await page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet]; }",
        WITHOUT_POINTER,
    )
    await _alert(page).locator(".card").screenshot(path=PICTURES / "card.png")
    pack(PICTURES / "card.png")


async def _workspace(page: Page) -> None:
    await _alert(page).locator('[data-action-id="incident:acknowledge"]').click()
    await _alert(page).get_by_text("Acknowledged by").wait_for()
    await _alert(page).get_by_text("1 reply").wait_for()
    await page.mouse.move(0, 0)
    await _alert(page).evaluate("card => card.scrollIntoView({ block: 'start' })")
    await page.screenshot(path=PICTURES / "workspace.png")
    pack(PICTURES / "workspace.png")


if __name__ == "__main__":
    asyncio.run(make())
