"""What the page may do to the detections of the demo; `tocsin demo` hands it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DetectionClock:
    """When the detection ran and runs again (aware UTC). `note` is a sentence about the last run."""

    last_run: datetime | None
    next_run: datetime | None
    note: str = ""


class DemoControls(Protocol):
    """The buttons of the panel. Each answer is a sentence that the page shows."""

    async def status(self) -> DetectionClock:
        """The clock as it stands."""
        ...

    async def run_now(self) -> str:
        """Run the detection now."""
        ...

    async def simulate(self) -> str:
        """Add the log row of a secret that was purged from a bad address, and run."""
        ...
