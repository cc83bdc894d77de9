"""What a newcomer does in the first minutes of `make demo`, in a real browser, from the alert to the blocklist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.chromium import chromium, needs_chromium
from tests.browser.running_demo import RunningDemo, running_demo

pytestmark = needs_chromium

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
WAIT = 15_000
"""Milliseconds for what should take a moment: the machine may be busy with other tests."""

WORST, SECOND = "203.0.113.66", "198.51.100.23"
"""The two addresses of the first alert in the sample logs."""

ANA, BO = "U0ANA", "U0BO"


@dataclass(slots=True)
class Visit:
    """One browser window at the demo, and what it must not do."""

    page: Page
    demo: RunningDemo
    width: int
    mistakes: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    pictures: int = 0

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        self.page.on("console", lambda line: self.mistakes.append(line.text) if line.type == "error" else None)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    async def picture(self, name: str) -> None:
        self.pictures += 1
        await self.page.screenshot(path=PICTURES / f"{self.width}-{self.pictures:02}-{name}.png")

    async def become(self, person: str) -> None:
        await self.page.select_option("#acting-person", person)
        await expect(self.page.locator("body")).to_have_attribute("data-user", person)

    async def go_to(self, channel: str) -> None:
        await self.page.locator(f'.side a[data-channel="{channel}"]').click()
        await expect(self.page.locator("body")).to_have_attribute("data-channel", channel)

    async def command(self, text: str) -> None:
        await self.page.fill("#composer", text)
        await self.page.press("#composer", "Enter")

    def cards(self, has: str) -> Locator:
        return self.page.locator("#messages .message").filter(has=self.page.locator(f'[data-action-id="{has}"]'))

    @property
    def form(self) -> Locator:
        return self.page.locator("form.modal")

    @property
    def private(self) -> Locator:
        return self.page.locator("#messages .message.private")

    async def sideways(self) -> int:
        return await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.fixture
async def demo(tmp_path) -> AsyncIterator[RunningDemo]:
    async with running_demo(tmp_path) as running:
        yield running


async def visit(browser: Browser, demo: RunningDemo, width: int, *, touch: bool = False) -> Visit:
    context = await browser.new_context(viewport={"width": width, "height": 844}, has_touch=touch)
    page = await context.new_page()
    page.set_default_timeout(WAIT)
    seen = Visit(page, demo, width)
    seen.watch()
    await page.goto(demo.page)
    return seen


async def test_from_the_first_alert_to_the_blocklist(demo):
    expect.set_options(timeout=WAIT)
    async with chromium() as browser:
        desk = await visit(browser, demo, 1280)
        await see_the_alert(desk)
        await acknowledge(desk)
        await ask_for_a_block(desk)
        await cannot_decide_without_the_role(desk)
        await approve_as_somebody_else(desk)
        await nobody_approves_their_own_request(desk)
        await look_an_address_up(desk)
        await close_with_a_reason(desk)
        await simulate(desk)
        phone = await visit(browser, demo, 390, touch=True)
        await use_a_phone(phone)
    for window in (desk, phone):
        assert window.mistakes == []
        assert window.hosts == {urlsplit(demo.page).netloc}


async def see_the_alert(desk: Visit) -> None:
    card = desk.cards("incident:acknowledge").last
    await expect(card).to_contain_text(WORST)
    await expect(card).to_contain_text("High risk")
    await expect(card).to_contain_text("Open")
    await desk.picture("alert")
    await card.locator('[data-action-id="incident:details"]').click()
    await expect(desk.form).to_contain_text("Tocsin raised this incident.")
    await desk.picture("details")
    await desk.page.keyboard.press("Escape")
    await expect(desk.form).to_have_count(0)


async def acknowledge(desk: Visit) -> None:
    card = desk.cards("incident:acknowledge").last
    ts = await card.get_attribute("data-ts")
    await card.locator('[data-action-id="incident:acknowledge"]').click()
    same = desk.page.locator(f'#messages [data-ts="{ts}"]')
    await expect(same).to_contain_text("Acknowledged by Ana Torres")
    await expect(same.locator('[data-action-id="incident:acknowledge"]')).to_have_count(0)
    await desk.picture("acknowledged")
    await same.locator("[data-thread]").click()
    await expect(desk.page.locator("#thread")).to_contain_text("Ana Torres acknowledged this.")
    await desk.picture("thread")
    await desk.page.locator("[data-close-thread]").click()


async def ask_for_a_block(desk: Visit) -> None:
    await desk.cards("incident:unacknowledge").locator('[data-action-id="incident:escalate:open"]').click()
    await expect(desk.form).to_contain_text("Nothing is blocked until somebody else approves")
    await send_the_form(desk)
    await expect(desk.form.locator('[data-error-for="reason"]')).not_to_be_empty()
    await desk.picture("form-not-complete")
    await desk.form.locator("textarea").fill("Purges secrets through a Tor exit")
    await send_the_form(desk)
    await expect(desk.form).to_have_count(0)
    assert WORST not in desk.demo.blocklist()


async def send_the_form(desk: Visit) -> None:
    await desk.form.locator("[type=submit]").click()


async def cannot_decide_without_the_role(desk: Visit) -> None:
    await desk.go_to("C0APPROVE")
    request = desk.cards("block:approve")
    await expect(request).to_contain_text("Ana Torres")
    await desk.picture("request")
    await approve(desk, request)
    await expect(desk.private).to_contain_text("Only approvers decide on blocks")
    await expect(request).to_have_count(1)
    await desk.picture("cannot-decide")


async def approve(desk: Visit, request: Locator) -> None:
    """Press Approve and say yes in the dialog that asks."""
    await request.locator('[data-action-id="block:approve"]').click()
    asked = desk.page.locator(".confirm")
    await expect(asked).to_contain_text("It can be undone")
    await desk.picture("are-you-sure")
    await asked.get_by_text("Block it", exact=True).click()


async def approve_as_somebody_else(desk: Visit) -> None:
    await desk.become(BO)
    await expect(desk.private).to_have_count(0)
    await approve(desk, desk.cards("block:approve"))
    await expect(desk.page.locator("#messages")).to_contain_text("approved by Bo Lindqvist")
    await expect(desk.page.locator("#messages")).to_contain_text("Blocked until")
    await expect(desk.cards("block:approve")).to_have_count(0)
    await desk.picture("approved")
    assert WORST in desk.demo.blocklist()
    await desk.go_to("C0SECOPS")
    await expect(desk.cards("incident:unacknowledge")).to_contain_text("Blocked until")
    await desk.picture("blocked")


async def nobody_approves_their_own_request(desk: Visit) -> None:
    await desk.cards("incident:unacknowledge").locator('[data-action-id="incident:escalate:open"]').click()
    await desk.form.locator("textarea").fill("Same campaign")
    await send_the_form(desk)
    await expect(desk.form.locator('[data-error-for="address"]')).to_contain_text(f"{WORST} is blocked already")
    await desk.picture("blocked-already")
    await desk.form.locator("select").first.select_option(SECOND)
    await send_the_form(desk)
    await expect(desk.form).to_have_count(0)
    await desk.go_to("C0APPROVE")
    await approve(desk, desk.cards("block:approve"))
    await expect(desk.private).to_contain_text("somebody else must approve or reject it")
    await desk.picture("own-request")
    assert SECOND not in desk.demo.blocklist()


async def look_an_address_up(desk: Visit) -> None:
    await desk.go_to("C0SECOPS")
    await desk.become(ANA)
    await desk.command(f"/ipcheck {WORST}")
    answer = desk.private.filter(has_text="Reported for")
    await expect(answer).to_contain_text("412 reports")
    await desk.picture("looked-up")
    await answer.locator('[data-action-id="ipcheck:share"]').click()
    shared = desk.page.locator("#messages .message:not(.private)").filter(has_text="Shared by Ana Torres")
    await expect(shared).to_contain_text(WORST)
    await desk.picture("shared")
    await desk.command("/ipcheck 10.0.0.999")
    await expect(desk.private.last).to_contain_text("I could not find an address")
    await desk.picture("not-understood")


async def close_with_a_reason(desk: Visit) -> None:
    await desk.cards("incident:unacknowledge").locator('[data-action-id="incident:close:open"]').click()
    await send_the_form(desk)
    await expect(desk.form.locator('[data-error-for="classification"]')).not_to_be_empty()
    await desk.picture("close-not-complete")
    await desk.form.get_by_text("True positive").click()
    await send_the_form(desk)
    await expect(desk.form).to_have_count(0)
    await expect(desk.cards("incident:reopen")).to_contain_text("Ana Torres")
    await desk.picture("closed")


async def simulate(desk: Visit) -> None:
    before = await desk.cards("incident:acknowledge").count()
    await desk.page.click("#simulate")
    await expect(desk.page.locator("#detection-said")).to_contain_text("Three secrets were purged")
    await expect(desk.cards("incident:acknowledge")).to_have_count(before + 1, timeout=20_000 + WAIT)
    await desk.picture("found-by-itself")
    await desk.page.click("#run-now")
    await expect(desk.page.locator("#detection-said")).to_contain_text("The detection ran")
    await desk.picture("run-now")


async def use_a_phone(phone: Visit) -> None:
    card = phone.cards("incident:acknowledge").last
    await expect(card.locator('[data-action-id="incident:acknowledge"]')).to_be_in_viewport()
    await phone.picture("alert")
    assert await phone.sideways() <= 0
    for target in await phone.page.locator("main button:visible, main a.button:visible").all():
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= 40, await target.inner_text()
    await card.locator('[data-action-id="incident:details"]').click()
    await expect(phone.form).to_contain_text("About this detection")
    await phone.picture("details")
    assert await phone.sideways() <= 0
    await phone.form.get_by_text("Back").click()
    await card.locator('[data-action-id="incident:acknowledge"]').click()
    await expect(phone.page.locator("#messages")).to_contain_text("Acknowledged by Ana Torres")
    await phone.page.locator(".open-thread:not(.quiet)").last.click()
    await expect(phone.page.locator("#thread")).to_contain_text("Ana Torres acknowledged this.")
    await phone.picture("thread")
    assert await phone.sideways() <= 0
    await phone.page.locator("[data-close-thread]").click()
    await use_the_sheets(phone)


async def use_the_sheets(phone: Visit) -> None:
    await phone.page.click("#show-detection")
    await expect(phone.page.locator("#simulate")).to_be_in_viewport()
    await phone.picture("detection")
    await phone.page.locator("main").click(position={"x": 20, "y": 90})
    await phone.page.click("#menu")
    await phone.go_to("C0APPROVE")
    await expect(phone.cards("block:approve")).to_contain_text(SECOND)
    await phone.picture("request")
    assert await phone.sideways() <= 0
