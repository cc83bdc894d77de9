"""The incident's states against a table written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident import (
    Action,
    Classification,
    Command,
    Incident,
    Person,
    Refusal,
    State,
    Why,
    decide,
    offered,
)

ANA, BO = Person("U0ANA", "Ana"), Person("U0BO", "Bo")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

# (state, action) -> next state; what is missing is not possible.
ORACLE = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "close"): "closed",
    ("open", "escalate"): "open",
    ("acknowledged", "unacknowledge"): "open",
    ("acknowledged", "close"): "closed",
    ("acknowledged", "escalate"): "acknowledged",
    ("closed", "reopen"): "open",
}


def command(action: Action, version: int, by: Person = ANA, at: datetime = NOON) -> Command:
    return Command(action, version, by, at, classification=Classification.FALSE_POSITIVE)


@given(st.lists(st.tuples(st.sampled_from(Action), st.integers(-1, 1), st.sampled_from([ANA, BO]))))
def test_any_series_of_commands_follows_the_table(series: list[tuple[Action, int, Person]]) -> None:
    incident, state, version = Incident("INC-1"), "open", 1
    for step, (action, drift, person) in enumerate(series):
        answer = decide(incident, command(action, version + drift, person, NOON + timedelta(minutes=step)))
        target = ORACLE.get((state, action.value))
        if drift != 0 or target is None:
            assert isinstance(answer, Refusal)
            assert answer.why is (Why.MOVED_ON if drift else Why.NOT_POSSIBLE)
            assert answer.last == incident.last
            continue
        assert isinstance(answer, Incident)
        if action is not Action.ESCALATE:
            state, version = target, version + 1
            assert answer.last is not None
            assert (answer.last.action, answer.last.by) == (action, person)
        assert (answer.state.value, answer.version) == (state, version)
        incident = answer


@pytest.mark.parametrize("state", list(State))
def test_a_card_offers_exactly_what_is_possible(state: State) -> None:
    possible = {action for (origin, action) in ORACLE if origin == state.value}
    assert {action.value for action in offered(state)} == possible


def test_of_two_people_who_click_at_once_the_second_learns_who_was_first() -> None:
    first = decide(Incident("INC-1"), command(Action.ACKNOWLEDGE, 1, ANA))
    assert isinstance(first, Incident)
    second = decide(first, command(Action.ACKNOWLEDGE, 1, BO, NOON + timedelta(seconds=2)))
    assert isinstance(second, Refusal)
    assert second.last is not None
    assert (second.last.by, second.last.at) == (ANA, NOON)


def test_the_person_who_acknowledges_owns_it_until_it_is_unacknowledged() -> None:
    taken = decide(Incident("INC-1"), command(Action.ACKNOWLEDGE, 1))
    assert isinstance(taken, Incident)
    given_back = decide(taken, command(Action.UNACKNOWLEDGE, 2, BO))
    assert isinstance(given_back, Incident)
    assert (taken.owner, given_back.owner) == (ANA, None)


def test_nothing_closes_without_a_classification() -> None:
    answer = decide(Incident("INC-1"), Command(Action.CLOSE, 1, ANA, NOON))
    assert answer == Refusal(Why.NOT_CLASSIFIED, None)


def test_a_reopened_incident_forgets_its_classification() -> None:
    closed = decide(Incident("INC-1"), command(Action.CLOSE, 1))
    assert isinstance(closed, Incident)
    assert closed.classification is Classification.FALSE_POSITIVE
    reopened = decide(closed, command(Action.REOPEN, 2))
    assert isinstance(reopened, Incident)
    assert reopened.classification is None
