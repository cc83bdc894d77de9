"""What the local workspace is built from."""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


def _random_secret() -> SecretStr:
    return SecretStr(secrets.token_hex(16))


class WorkspaceSettings(BaseModel):
    """Names, secrets and times of one workspace. The defaults are those of `tocsin demo`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_url: str = "http://127.0.0.1:8000/slack/events"
    bot_token: SecretStr = Field(default_factory=lambda: SecretStr("xoxb-" + secrets.token_hex(12)))
    signing_secret: SecretStr = Field(default_factory=_random_secret)
    state_path: Path | None = None
    templates_path: Path | None = None
    team_id: str = "T0TOCSIN"
    team_name: str = "Northwind Security"
    api_app_id: str = "A0TOCSIN"
    ack_seconds: float = 3.0
    """Three seconds: https://docs.slack.dev/interactivity/handling-user-interaction"""
    retry_delays: tuple[float, ...] = (3.0, 60.0, 300.0)
    """Seconds before each repeat of an unacknowledged delivery; three, the last after five minutes."""
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    traffic_kept: int = 2000
