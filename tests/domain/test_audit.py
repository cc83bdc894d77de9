"""Promise 10: the audit chain shows an edit, a deletion, a reordering and a cut tail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import Entry, Head, Sealed, append, canonical, verify

KEY = b"a key that is kept elsewhere"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def chain(length: int) -> tuple[list[Sealed], Head]:
    head, links = Head(), []
    for n in range(length):
        link, head = append(KEY, head, Entry(NOON, "U0ANA", "acknowledge", f"INC-{n}", {"v": n}, {"v": n + 1}))
        links.append(link)
    return links, head


def broken_at(links: list[Sealed], head: Head, key: bytes = KEY) -> int | None:
    found = verify(key, links, head)
    return found.seq if found else None


@given(st.integers(0, 12))
def test_an_untouched_chain_holds(length: int) -> None:
    assert broken_at(*chain(length)) is None


@given(st.data())
def test_promise_10_an_edit_is_found_where_it_was_made(data: st.DataObject) -> None:
    links, head = chain(8)
    n = data.draw(st.integers(0, 7))
    field = data.draw(st.sampled_from(["actor", "action", "subject", "before", "after", "at"]))
    value = {"before": {}, "after": {}, "at": NOON + timedelta(microseconds=1)}.get(field, "somebody else")
    links[n] = replace(links[n], entry=replace(links[n].entry, **{field: value}))
    assert broken_at(links, head) == n + 1


@given(st.integers(0, 7))
def test_promise_10_a_deletion_is_found(n: int) -> None:
    links, head = chain(8)
    del links[n]
    assert broken_at(links, head) == n + 1


@given(st.integers(0, 6))
def test_promise_10_a_reordering_is_found(n: int) -> None:
    links, head = chain(8)
    links[n], links[n + 1] = links[n + 1], links[n]
    assert broken_at(links, head) == n + 1


@given(st.integers(1, 8))
def test_promise_10_a_cut_tail_is_found(kept: int) -> None:
    links, head = chain(8)
    expected = None if kept == 8 else kept + 1
    assert broken_at(links[:kept], head) == expected


def test_a_chain_renumbered_by_somebody_without_the_key_is_found() -> None:
    links, _ = chain(3)
    forged_head, forged = Head(), []
    for link in links[1:]:
        made, forged_head = append(b"a guess", forged_head, link.entry)
        forged.append(made)
    assert broken_at(forged, forged_head) == 1


def test_entries_behind_the_recorded_end_are_found() -> None:
    links, _ = chain(3)
    _, shorter = chain(2)
    assert broken_at(links, shorter) == 3


def test_the_same_moment_in_another_zone_is_the_same_entry() -> None:
    entry = Entry(NOON, "U", "a", "s", {"b": 1, "a": 2}, {})
    elsewhere = replace(entry, at=NOON.astimezone(timezone(timedelta(hours=5))), before={"a": 2, "b": 1})
    assert canonical(entry) == canonical(elsewhere)
