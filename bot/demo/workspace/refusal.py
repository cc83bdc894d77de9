"""How a Web API method says no."""

from __future__ import annotations

from typing import Any

from bot.errors import TocsinError


class Refused(TocsinError):
    """Becomes `{"ok": false, "error": code, ...}` with status 200, as Slack answers."""

    def __init__(self, code: str, **extra: Any) -> None:
        self.code, self.extra = code, extra
        super().__init__(f"The local workspace refused the call: {code}")

    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        return {"ok": False, "error": self.code, **self.extra}
