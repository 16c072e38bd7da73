"""Checks: what is sealed and sent, what an answer may say, and what the history opens."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from screening.client.client import Client
from screening.client.errors import RegistryMisbehavedError, TrustFileError
from screening.client.screenings import Asked
from screening.client.wording import NOT_COMPLETE
from screening.identity import Identity, current_scheme
from tests.consortium import Consortium
from tests.unit.client.scripted import ScriptedRegistry, scripted_registry

ANNA = Identity.from_dict({"id": "own-1", "given": "Anna Maria", "family": "Eriksen", "dob": "1980-01-02"})
ASKED = Asked("recruitment", "V-12", "notice", ("SH", "SEA"))


@pytest.fixture(scope="module")
def everything(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Consortium, ScriptedRegistry, Client]]:
    with scripted_registry(tmp_path_factory.mktemp("scripted")) as made:
        yield made


@pytest.fixture
def client(everything: tuple[Consortium, ScriptedRegistry, Client]) -> Client:
    return everything[2]


@pytest.fixture
def registry(everything: tuple[Consortium, ScriptedRegistry, Client]) -> ScriptedRegistry:
    _, registry, _ = everything
    registry.screenings.clear()
    registry.pages.clear()
    registry.outcome = "no_record"
    return registry


def test_a_check_says_what_was_found_and_sends_no_name(client: Client, registry: ScriptedRegistry) -> None:
    result = client.screenings.check(ANNA, purpose="recruitment", vacancy="V-12", lawful_basis="notice")
    assert (result.outcome, result.needs_follow_up) == ("no_record", False)
    assert "not a statement of good conduct" in result.wording.text
    assert result.organisations_covered == 2
    sent = json.dumps(registry.screenings)
    assert not any(word in sent for word in ("Eriksen", "1980-01-02", "own-1"))
    assert json.loads(json.dumps(result.to_json()))["promise"] == result.promise


def test_details_that_give_nothing_to_look_for_are_insufficient(client: Client, registry: ScriptedRegistry) -> None:
    [result] = client.screenings.check_all([Identity.from_dict({"full": "Anna Eriksen"})], ASKED)
    assert result.outcome == "insufficient"
    assert registry.screenings[0]["entries"] == []


def test_an_outcome_of_a_later_version_is_not_complete_and_to_be_followed_up(
    client: Client, registry: ScriptedRegistry
) -> None:
    registry.outcome = "clear"
    [result] = client.screenings.check_all([ANNA], ASKED)
    assert result.outcome == NOT_COMPLETE
    assert result.needs_follow_up
    assert "Do not decide yet" in result.wording.text
    assert result.to_json()["outcome"] == NOT_COMPLETE


def test_the_own_token_recognises_the_same_details_whatever_their_id(
    client: Client, registry: ScriptedRegistry
) -> None:
    again = Identity.from_dict({**ANNA.to_dict(), "id": "own-2"})
    other = Identity.from_dict({**ANNA.to_dict(), "dob": "1980-01-03"})
    client.screenings.check_all([ANNA, again, other], ASKED)
    first, second, third = (screening["self"] for screening in registry.screenings)
    assert first == second
    assert first != third


def test_the_history_opens_the_notes_page_by_page(client: Client, registry: ScriptedRegistry) -> None:
    for _ in range(3):
        client.screenings.check_all([ANNA], ASKED)
    kept = list(registry.screenings)
    registry.pages = [{"screenings": kept[:2], "next": "c1"}, {"screenings": kept[2:], "next": None}]
    history = list(client.screenings.history())
    assert [past.id for past in history] == [screening["id"] for screening in kept]
    assert {past.identity for past in history} == {ANNA}
    assert "Eriksen" not in repr(history)


def test_a_note_of_another_candidate_does_not_open_in_this_ones_place(
    client: Client, registry: ScriptedRegistry
) -> None:
    client.screenings.check_all([ANNA, Identity.from_dict({"full": "Somebody Else", "dob": "1981"})], ASKED)
    first, second = registry.screenings
    first["note"], second["note"] = second["note"], first["note"]
    assert [past.identity for past in client.screenings.history()] == [None, None]


def test_details_too_long_for_a_note_are_kept_shortened(client: Client, registry: ScriptedRegistry) -> None:
    long = Identity.from_dict({**ANNA.to_dict(), "aliases": [f"Аннa Мария Эриксен {'я' * 100} {i}" for i in range(30)]})
    client.screenings.check_all([long], ASKED)
    [past] = client.screenings.history()
    assert past.shortened
    assert past.identity == ANNA


def test_pages_that_go_round_in_a_circle_are_misbehaviour(client: Client, registry: ScriptedRegistry) -> None:
    registry.pages = [{"screenings": [], "next": "c1"}] * 3
    with pytest.raises(RegistryMisbehavedError, match="do not end"):
        list(client.screenings.history())


@pytest.mark.parametrize(
    "page",
    [
        [],
        None,
        {},
        {"screenings": {}},
        {"screenings": [7], "next": None},
        {"screenings": [{}]},
        {"screenings": [], "next": 7},
    ],
)
def test_a_list_that_is_none_is_misbehaviour(client: Client, registry: ScriptedRegistry, page: Any) -> None:
    registry.pages = [page]
    with pytest.raises(RegistryMisbehavedError):
        list(client.screenings.history())


def test_what_an_old_request_gave_is_found_or_said_to_have_done_nothing(
    client: Client, registry: ScriptedRegistry, everything: tuple[Consortium, ScriptedRegistry, Client]
) -> None:
    clock = everything[0].clock
    since = clock()
    body = client.screenings.prepare([ANNA, ANNA], ASKED)
    assert client.screenings.find(body, since) is None
    sent = client.screenings.send(body, str(uuid.uuid4()))
    found = client.screenings.find(body, since)
    assert found is not None
    assert [one.id for one in found] == [one.id for one in sent]
    assert found[0].promise is None
    registry.screenings.pop()
    with pytest.raises(RegistryMisbehavedError, match="whole or not at all"):
        client.screenings.find(body, since)


def test_another_scheme_than_the_installed_one_is_refused_by_name(
    client: Client, monkeypatch: pytest.MonkeyPatch, registry: ScriptedRegistry
) -> None:
    monkeypatch.setitem(vars(current_scheme()), "digest", "00" * 32)
    with pytest.raises(TrustFileError, match="another matching scheme") as caught:
        client.screenings.check_all([ANNA], ASKED)
    assert caught.value.code == "other-scheme"
    assert registry.screenings == []


def test_results_of_many_keep_the_order_of_the_candidates(
    client: Client, registry: ScriptedRegistry, tmp_path: Path
) -> None:
    people = [Identity.from_dict({"full": f"Person Number{i}", "dob": f"19{70 + i}-01-02"}) for i in range(5)]
    body = client.screenings.prepare(people, ASKED)
    results = client.screenings.send(body, "k1")
    assert [result.candidate for result in results] == [candidate["id"] for candidate in body["candidates"]]
