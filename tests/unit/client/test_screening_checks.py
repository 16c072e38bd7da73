"""An answer about screenings is believed only if it fits the question, itself, and what the log was told."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from audit.canonical import b64u, canonical, leaf_hash, unb64u
from audit.events import RecordOpened
from audit.promise import make_promise
from screening.client.errors import RegistryMisbehavedError
from screening.client.screening_checks import verify_kept_screening, verify_screenings
from screening.crypto.identifiers import uuid7
from screening.crypto.signing import SigningKey
from tests.consortium import START, Consortium, make_consortium
from tests.signed_screenings import ScreeningMaker

MATCHED, CLEAN, EMPTY = (str(uuid7(START)) for _ in range(3))
REQUEST: dict[str, Any] = {
    "purpose": "recruitment",
    "vacancy": "V-1",
    "categories": ["SH", "SEA"],
    "epoch": 1,
    "candidates": [
        {"id": MATCHED, "entries": ["A" * 24]},
        {"id": CLEAN, "entries": ["B" * 24]},
        {"id": EMPTY, "entries": []},
    ],
}


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with make_consortium(tmp_path_factory.mktemp("consortium")) as made:
        made.enrol("asker")
        yield made


@pytest.fixture
def maker(consortium: Consortium) -> Iterator[ScreeningMaker]:
    yield ScreeningMaker(consortium, consortium.organisation("asker"))
    consortium.clock.now = START


def answer(maker: ScreeningMaker) -> dict[str, Any]:
    """A match, nobody on record, and too few details."""
    owner = {"id": str(uuid.uuid4()), "name": "An organisation", "contact": "hr@org.example"}
    hits = [
        {"grade": "likely", "organisation": owner},
        {"grade": "strong", "organisation": owner, "categories": ["SH"]},
    ]
    matched, clean, empty = REQUEST["candidates"]
    return {
        "screenings": [
            maker.screening(REQUEST, matched, "possible", "strong", hits),
            maker.screening(REQUEST, clean, "no_record"),
            maker.screening(REQUEST, empty, "insufficient"),
        ]
    }


def believed(maker: ScreeningMaker, content: object) -> list[Any]:
    consortium = maker.consortium
    asker = consortium.organisation("asker")
    return list(verify_screenings(content, REQUEST, consortium.trust, organisation=asker, now=consortium.clock()))


def found_out(maker: ScreeningMaker, content: object) -> str:
    """What the registry is found to have done."""
    with pytest.raises(RegistryMisbehavedError, match=r"^registry: ") as caught:
        believed(maker, content)
    return caught.value.what


# --- the answer against the question and itself ------------------------------------------------------------------


def test_an_answer_that_fits_is_given_in_the_order_asked(maker: ScreeningMaker) -> None:
    content = answer(maker)
    content["screenings"].reverse()
    assert [s["candidate"] for s in believed(maker, content)] == [MATCHED, CLEAN, EMPTY]


def test_an_outcome_that_is_not_known_passes_to_be_shown_as_not_complete(maker: ScreeningMaker) -> None:
    content = answer(maker)
    content["screenings"][1] = maker.screening(REQUEST, REQUEST["candidates"][1], "held")
    assert believed(maker, content)[1]["outcome"] == "held"


@pytest.mark.parametrize(
    "change",
    [
        lambda screenings: screenings.pop(),
        lambda screenings: screenings.append(copy.deepcopy(screenings[0])),
        lambda screenings: screenings[0].update(candidate=CLEAN),
        lambda screenings: screenings[0].update(candidate=str(uuid.uuid4())),
        lambda screenings: screenings[0].update(outcome=None),
        lambda screenings: screenings[0].update(outcome="no_record"),
        lambda screenings: screenings[0].update(grade="possible"),
        lambda screenings: screenings[0].update(grade=None),
        lambda screenings: screenings[0].update(hits=[]),
        lambda screenings: screenings[0].update(hits=None),
        lambda screenings: screenings[0]["hits"][0].update(grade="certain"),
        lambda screenings: screenings[0]["hits"][0].update(organisation=None),
        lambda screenings: screenings[0]["hits"][1].update(categories=["FRAUD"]),
        lambda screenings: screenings[1].update(outcome="insufficient"),
        lambda screenings: screenings[1].update(grade="strong"),
        lambda screenings: screenings[2].update(outcome="no_record"),
        lambda screenings: screenings[0]["covered"].update(epoch=2),
        lambda screenings: screenings[0]["covered"].update(categories=["SH"]),
        lambda screenings: screenings[0].update(covered=None),
        lambda screenings: screenings[0].update(promise=None),
        lambda screenings: screenings[0]["promise"]["body"].update(leaf="11" * 32),
        lambda screenings: screenings[0]["promise"].update(signatures=[]),
        lambda screenings: screenings[0]["opening"].pop("vacancy"),
        lambda screenings: screenings[0].update(opening=None),
        lambda screenings: screenings[0]["opening"]["outcome"].update(value="no_record"),
        lambda screenings: screenings[0]["opening"]["grade"].update(value=None),
        lambda screenings: screenings[0]["opening"]["vacancy"].update(value="V-2"),
        lambda screenings: screenings[0]["opening"]["vacancy"].update(salt="AA"),
    ],
)
def test_an_answer_that_does_not_fit_is_found_out(maker: ScreeningMaker, change: Callable[[Any], Any]) -> None:
    content = answer(maker)
    change(content["screenings"])
    assert found_out(maker, content)


@pytest.mark.parametrize("content", [None, [], {}, {"screenings": None}, {"screenings": [1, 2, 3]}])
def test_an_answer_without_screenings_is_found_out(maker: ScreeningMaker, content: object) -> None:
    assert "no screenings" in found_out(maker, content)


# --- the answer against what the log was told --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"outcome": "possible"}, "the log was told another outcome than the answer says"),
        ({"grade": "strong"}, "the log was told another grade than the answer says"),
        ({"vacancy": "V-2"}, "the log was told another vacancy than the answer says"),
        ({"organisation": str(uuid.UUID(int=2))}, "of another organisation"),
        ({"organisation": None}, "of another organisation"),
        ({"object": str(uuid.UUID(int=3))}, "of another screening"),
        ({"purpose": "volunteer"}, "of another purpose"),
        ({"categories": ("SH",)}, "of another choice of categories"),
    ],
)
def test_a_registry_that_tells_the_log_something_else_is_found_out(
    maker: ScreeningMaker, told: dict[str, Any], what: str
) -> None:
    content = answer(maker)
    liar = ScreeningMaker(maker.consortium, maker.organisation, told)
    content["screenings"][1] = liar.screening(REQUEST, REQUEST["candidates"][1], "no_record")
    assert found_out(maker, content).endswith(what)


def test_an_event_of_another_registry_is_found_out(maker: ScreeningMaker) -> None:
    content = answer(maker)
    elsewhere = ScreeningMaker(maker.consortium, maker.organisation, registry="elsewhere")
    content["screenings"][1] = elsewhere.screening(REQUEST, REQUEST["candidates"][1], "no_record")
    assert "of another registry" in found_out(maker, content)


def test_an_answer_that_gives_another_time_than_the_log_was_told_is_found_out(maker: ScreeningMaker) -> None:
    content = answer(maker)
    content["screenings"][0]["created_at"] = "2025-11-20T14:02:11Z"
    assert "of another time" in found_out(maker, content)


def test_another_event_than_the_promised_one_is_found_out(maker: ScreeningMaker) -> None:
    content, other = answer(maker), answer(maker)
    content["screenings"][0]["event"] = other["screenings"][0]["event"]
    assert "not the one that its promise is for" in found_out(maker, content)


def test_a_promise_of_the_right_leaf_under_another_events_id_is_found_out(maker: ScreeningMaker) -> None:
    content = answer(maker)
    screening, log = content["screenings"][0], maker.consortium.registry.log
    screening["promise"] = make_promise(
        log.sign,
        key=log.key_id,
        origin=maker.consortium.trust.log_origin,
        event_id=uuid.uuid4(),
        leaf_hash=bytes.fromhex(screening["promise"]["body"]["leaf"]),
        time=maker.consortium.clock(),
    )
    assert "not the one that its promise is for" in found_out(maker, content)


def test_a_promise_by_another_key_for_the_right_event_is_found_out(maker: ScreeningMaker) -> None:
    content, key = answer(maker), SigningKey.generate()
    body = content["screenings"][0]["promise"]["body"]
    content["screenings"][0]["promise"] = make_promise(
        key.sign,
        key=key.key_id,
        origin=body["origin"],
        event_id=uuid.UUID(body["event"]),
        leaf_hash=bytes.fromhex(body["leaf"]),
        time=maker.consortium.clock(),
    )
    assert "promise does not verify" in found_out(maker, content)


@pytest.mark.parametrize(
    ("moved", "what"),
    [
        (("event",), "not the one that its promise is for"),
        (("event", "promise"), "of another screening"),
        (("event", "promise", "id"), "than the answer says"),
    ],
)
def test_events_swapped_between_candidates_are_found_out(
    maker: ScreeningMaker, moved: tuple[str, ...], what: str
) -> None:
    content = answer(maker)
    first, second = content["screenings"][:2]
    for name in moved:
        first[name], second[name] = second[name], first[name]
    assert what in found_out(maker, content)


def test_one_event_for_two_candidates_is_found_out(maker: ScreeningMaker) -> None:
    twins = [REQUEST["candidates"][0], {**REQUEST["candidates"][1]}]
    request = {**REQUEST, "candidates": twins}
    one = maker.screening(request, twins[0], "no_record")
    content = {"screenings": [one, {**copy.deepcopy(one), "candidate": twins[1]["id"]}]}
    consortium = maker.consortium
    with pytest.raises(RegistryMisbehavedError, match="one event for several"):
        verify_screenings(content, request, consortium.trust, organisation=maker.organisation, now=consortium.clock())


def test_an_earlier_event_given_again_is_found_out(maker: ScreeningMaker) -> None:
    clean = REQUEST["candidates"][1]
    maker.consortium.clock.now = START - timedelta(minutes=6)
    earlier = maker.screening(REQUEST, clean, "no_record")
    maker.consortium.clock.now = START
    content = answer(maker)
    content["screenings"][1].update({name: earlier[name] for name in ("event", "promise", "opening")})
    assert "of another screening" in found_out(maker, content)
    content["screenings"][1] = earlier
    assert "older than the question" in found_out(maker, content)


def test_the_answer_to_a_question_sent_again_days_later_is_believed(maker: ScreeningMaker) -> None:
    content = answer(maker)
    maker.consortium.clock.advance(days=2)
    assert len(believed(maker, content)) == 3


@pytest.mark.parametrize("name", ["outcome", "grade", "vacancy"])
def test_a_tampered_opening_is_found_out(maker: ScreeningMaker, name: str) -> None:
    content = answer(maker)
    content["screenings"][0]["opening"][name]["salt"] = b64u(bytes(16))
    assert found_out(maker, content) == f"the log was told another {name} than the answer says"


def test_openings_swapped_with_their_answer_are_found_out(maker: ScreeningMaker) -> None:
    """A match that is shown as none, with openings that say so as well."""
    content = answer(maker)
    matched, clean = content["screenings"][:2]
    matched.update({name: clean[name] for name in ("outcome", "grade", "hits", "opening")})
    assert found_out(maker, content) == "the log was told another outcome than the answer says"


@pytest.mark.parametrize("event", [None, 7, "", "A", "AAAA=", "not base64url!"])
def test_an_answer_without_event_is_found_out(maker: ScreeningMaker, event: object) -> None:
    content = answer(maker)
    content["screenings"][0]["event"] = event
    assert "event" in found_out(maker, content)


def promised(maker: ScreeningMaker, body: bytes) -> dict[str, Any]:
    """An answer of which the log's key signs any bytes as an event."""
    content = answer(maker)
    log = maker.consortium.registry.log
    content["screenings"][0]["event"] = b64u(body)
    content["screenings"][0]["promise"] = make_promise(
        log.sign,
        key=log.key_id,
        origin=maker.consortium.trust.log_origin,
        event_id=uuid.UUID(int=1),
        leaf_hash=leaf_hash(body),
        time=maker.consortium.clock(),
    )
    return content


@pytest.mark.parametrize(
    "change",
    [
        lambda event: b"{}",
        lambda event: b"event",
        lambda event: json.dumps(event, indent=1).encode(),
        lambda event: canonical({**event, "name": "Anna"}),
        lambda event: canonical({**event, "tag": "registry:candidate:cleared"}),
        lambda event: canonical({**event, "commitments": {}}),
    ],
)
def test_what_is_no_event_is_found_out_though_it_is_promised(
    maker: ScreeningMaker, change: Callable[[dict[str, Any]], bytes]
) -> None:
    given = answer(maker)["screenings"][0]["event"]
    event = json.loads(unb64u(given, len(given) * 3 // 4))
    assert "the event in its answer is none" in found_out(maker, promised(maker, change(event)))


def test_an_event_of_another_act_is_found_out(maker: ScreeningMaker) -> None:
    content = answer(maker)
    screening = content["screenings"][0]
    sealed = maker.seal(RecordOpened(organisation=maker.organisation, object=str(screening["id"]), version_number=1))
    screening.update(event=b64u(sealed.body), promise=maker.promise(sealed))
    assert "of another act" in found_out(maker, content)


# --- a screening that is kept ------------------------------------------------------------------------------------


def kept(maker: ScreeningMaker, content: dict[str, Any], screening: str) -> None:
    verify_kept_screening(
        content,
        REQUEST,
        maker.consortium.trust,
        organisation=maker.organisation,
        screening=screening,
        candidate=REQUEST["candidates"][0],
    )


def test_a_kept_screening_is_held_against_its_event_where_it_has_one(maker: ScreeningMaker) -> None:
    screening = answer(maker)["screenings"][0]
    kept(maker, screening, screening["id"])
    kept(maker, {**screening, "event": None}, screening["id"])
    other = answer(maker)["screenings"][0]
    for changes, what in (
        ({"event": other["event"]}, "of another screening"),
        ({"event": "AAAA"}, "event in its answer is none"),
        ({"opening": other["opening"]}, "the log was told another outcome"),
        ({"opening": None, "event": None}, "lacks what opens"),
        ({"outcome": "no_record", "grade": None, "hits": [], "event": None}, "another outcome than the answer"),
        ({"outcome": "no_record"}, "denies them"),
        ({"id": other["id"]}, "another screening than was asked for"),
        ({"candidate": CLEAN}, "another screening than was asked for"),
    ):
        with pytest.raises(RegistryMisbehavedError, match=what):
            kept(maker, {**screening, **changes}, screening["id"])
