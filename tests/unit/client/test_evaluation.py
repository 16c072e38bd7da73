"""What the client sends for an evaluation, and what it refuses to send."""

from collections.abc import Iterator

import httpx
import pytest

from screening.client.client import Client
from screening.client.errors import NotLoggedInError, UnavailableError
from screening.client.profile import Profile, StoredSession
from screening.client.transport import make_http
from screening.crypto.signing import Statement, VerifyingKey
from tests.consortium import REGISTRY, SCHEME, Consortium, make_consortium


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with make_http() as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with make_consortium(tmp_path_factory.mktemp("consortium")) as made:
        made.enrol("org", budget=10**6)
        yield made


@pytest.fixture
def consortium(shared: Consortium) -> Iterator[Consortium]:
    yield shared
    shared.behave()


@pytest.fixture
def client(consortium: Consortium, http: httpx.Client) -> Client:
    return Client(consortium.profile("org"), http=http, clock=consortium.clock)


def features(*numbers: int) -> list[list[bytes]]:
    return [[b"%d of %d" % (index, number) for index in range(number)] for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "padded"), [((1,), 8), ((8,), 8), ((9,), 16), ((32,), 32), ((1, 1, 1), 24), ((17, 8, 3), 40)]
)
def test_each_candidate_is_padded_to_a_multiple_of_eight(
    consortium: Consortium, client: Client, numbers: tuple[int, ...], padded: int
) -> None:
    tokens = client.evaluate(features(*numbers), "screening")
    assert [len(candidate) for candidate in tokens] == list(numbers)
    for request in consortium.requests():
        assert (request["candidates"], len(request["elements"])) == (len(numbers), padded)


def test_every_evaluator_gets_the_same_batch_addressed_and_signed_for_it(
    consortium: Consortium, client: Client
) -> None:
    client.evaluate(features(3), "record")
    requests = {request["evaluator"]: request for request in consortium.requests()}
    assert requests.keys() == {"registry", "keyholder-1"}
    first, second = ({**request, "evaluator": None} for request in requests.values())
    assert first == second
    assert {name: first[name] for name in ("registry", "epoch", "scheme", "purpose", "organisation")} == {
        "registry": REGISTRY,
        "epoch": 1,
        "scheme": SCHEME,
        "purpose": "record",
        "organisation": consortium.organisation("org"),
    }
    key = VerifyingKey.from_bytes(consortium.members["org"].keys.signing.public_bytes)
    for party in consortium.parties.values():
        content = httpx.Response(200, content=party.requests[0]).json()
        Statement.from_json(content, expected_type="evaluation-request").verify("organisation", key)


def test_the_same_features_are_never_blinded_alike(consortium: Consortium, client: Client) -> None:
    same = [[b"feature"] * 8, [b"feature"] * 8]
    tokens = client.evaluate(same, "screening")
    assert len({token for candidate in tokens for token in candidate}) == 1
    client.evaluate(same, "screening")
    sent = [element for request in consortium.requests() for element in request["elements"]]
    assert len(set(sent)) == 32  # 16 in each batch, each sent to two evaluators


def test_no_feature_crosses_the_wire(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"KEMAL ATATURK 1881"]], "screening")
    for party in consortium.parties.values():
        assert b"KEMAL" not in party.requests[0]


def test_a_candidate_without_features_costs_nothing_and_gets_no_tokens(consortium: Consortium, client: Client) -> None:
    tokens = client.evaluate([[], [b"feature"], []], "screening")
    assert [len(candidate) for candidate in tokens] == [0, 1, 0]
    assert [request["candidates"] for request in consortium.requests()] == [1, 1]


@pytest.mark.parametrize("nobody", [[], [[]], [[], []]])
def test_where_there_is_nothing_to_ask_nobody_is_asked(
    consortium: Consortium, client: Client, nobody: list[list[bytes]]
) -> None:
    result = client.prepare_evaluation(nobody, "screening").complete()
    assert result.tokens == nobody
    assert (result.promise, result.charged, consortium.requests()) == (None, {}, [])


def test_a_hundred_candidates_are_one_request(consortium: Consortium, client: Client) -> None:
    assert len(client.evaluate(features(*[1] * 100), "screening")) == 100
    assert {len(request["elements"]) for request in consortium.requests()} == {800}


@pytest.mark.parametrize(
    ("numbers", "purpose"),
    [((1,) * 101, "screening"), ((33,), "screening"), ((1, 1), "record"), ((257,), "record"), ((1, 1), "rekey")],
)
def test_more_than_an_evaluator_takes_is_refused_before_anybody_is_asked(
    consortium: Consortium, client: Client, numbers: tuple[int, ...], purpose: str
) -> None:
    with pytest.raises(ValueError, match=purpose):
        client.evaluate(features(*numbers), purpose)  # type: ignore[arg-type]  # one of the three purposes
    assert consortium.requests() == []


def test_screening_and_record_give_the_same_tokens(client: Client) -> None:
    one = [[b"feature", b"another"]]
    assert client.evaluate(one, "screening") == client.evaluate(one, "record") == client.evaluate(one, "rekey")


def test_nothing_secret_is_in_a_repr(consortium: Consortium, client: Client) -> None:
    pending = client.prepare_evaluation([[b"feature"]], "screening")
    assert repr(pending) == f"PendingEvaluation(batch={pending.batch!r}, answered=[])"
    assert "scr_" not in repr(client.profile)


# --- the session -------------------------------------------------------------------------------------------------


def log_in(client: Client) -> Profile:
    client.profile.save_session(StoredSession("scr_token", {"id": "p"}, client.clock()))
    return client.profile


def test_a_call_carries_the_sessions_token_and_an_open_one_does_not(consortium: Consortium, client: Client) -> None:
    log_in(client)
    consortium.parties["registry"].respond = lambda: ("200 OK", "application/json", b"{}")
    client.call("GET", "/v1/records")
    client.open_call("GET", "/v1/trust")
    assert [seen.get("HTTP_AUTHORIZATION") for seen in consortium.parties["registry"].seen[-2:]] == [
        "Bearer scr_token",
        None,
    ]
    client.profile.forget_session()


def test_without_a_session_nobody_is_asked(consortium: Consortium, client: Client) -> None:
    with pytest.raises(NotLoggedInError):
        client.call("GET", "/v1/records")
    assert consortium.parties["registry"].requests == []


@pytest.mark.parametrize("slug", ["unauthenticated", "session-ended"])
def test_a_session_that_ended_is_said_as_such(consortium: Consortium, client: Client, slug: str) -> None:
    log_in(client)
    body = b'{"type": "/problems/%s", "status": 401, "detail": "x"}' % slug.encode()
    consortium.parties["registry"].respond = lambda: ("401 Unauthorized", "application/problem+json", body)
    with pytest.raises(NotLoggedInError):
        client.call("GET", "/v1/records")
    client.profile.forget_session()


@pytest.mark.parametrize(("key", "attempts"), [("k-1", 3), (None, 1)])
def test_an_act_is_tried_again_only_with_an_idempotency_key(
    consortium: Consortium, client: Client, key: str | None, attempts: int
) -> None:
    log_in(client)
    consortium.parties["registry"].respond = lambda: ("503 Service Unavailable", "text/plain", b"")
    with pytest.raises(UnavailableError):
        client.call("POST", "/v1/screenings", json_content={}, idempotency_key=key, if_match='"1"')
    seen = consortium.parties["registry"].seen[-attempts:]
    assert len(consortium.parties["registry"].requests) == attempts
    assert {(one.get("HTTP_IDEMPOTENCY_KEY"), one["HTTP_IF_MATCH"]) for one in seen} == {(key, '"1"')}
    client.profile.forget_session()
