"""One workspace on a free port with a clock that the test moves, and slack_sdk as its client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import RunningWorkspace, WorkspaceSettings, build_workspace, serve_workspace


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def running(clock: MovableClock) -> AsyncIterator[RunningWorkspace]:
    settings = WorkspaceSettings(bot_token=SecretStr("xoxb-right"))
    running = await serve_workspace(build_workspace(settings, clock=clock))
    yield running
    await running.stop()


@pytest.fixture
def slack(running: RunningWorkspace) -> AsyncWebClient:
    return AsyncWebClient("xoxb-right", base_url=f"{running.url}/api/", retry_handlers=[])
