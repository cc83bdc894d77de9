"""Gives emoji our own pictures, so that cards look right on machines without an emoji font."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup, escape

from bot.demo.workspace.page.emoji import with_emoji

_TAG = re.compile(r"(<[^>]*>)")


class Pictures:
    """Knows the pictures in a folder of `<code point in hex>.svg`."""

    def __init__(self, folder: Path) -> None:
        self._codes = {chr(int(path.stem, 16)): path.stem for path in folder.glob("*.svg")}
        signs = "|".join(re.escape(sign) for sign in self._codes) or "(?!)"
        self._sign = re.compile(f"({signs})\ufe0f?")

    def html(self, markup: Markup) -> Markup:
        """The markup with each known emoji in a span; the sign stays its text, and attributes stay as they are."""
        parts = _TAG.split(str(markup))
        return Markup("".join(part if part.startswith("<") else self._drawn(part) for part in parts))  # noqa: S704

    def plain(self, text: str) -> Markup:
        """Plain text with short names and pictures."""
        return self.html(escape(with_emoji(text)))

    def _drawn(self, text: str) -> str:
        return self._sign.sub(lambda m: f'<span class="emoji e{self._codes[m[1]]}">{m[0]}</span>', text)
