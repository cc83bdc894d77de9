"""Text that strangers wrote, made fit to stand on one line."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and bidi signs, zero-width signs, lone surrogates, private and unassigned code points, line separators."""

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\u180f")
"""Letters and marks that draw nothing although their category says otherwise; variation selectors are tested apart."""


def one_line(text: str, limit: int) -> str:
    """`text` with white space as single blanks, without invisible signs, cut at a word to `limit` with an ellipsis.

    Nothing is escaped: that belongs to the place where it is shown. `limit` counts the ellipsis too.
    """
    head = text[: limit * 20]
    line = " ".join("".join(_visible(sign) for sign in head).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word, blank, _ = cut.rpartition(" ")
    whole = cut if line[limit - 1] == " " or not blank else at_word
    return f"{whole.rstrip()}…"


def _visible(sign: str) -> str:
    if sign.isspace():
        return " "
    selector = "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
    return "" if selector or sign in _BLANK or unicodedata.category(sign) in _INVISIBLE else sign
