"""T-07, T-08: a registry or keyholder that runs other code is found out, and the error names it and what is wrong.

Both run as real HTTP servers around the real evaluator; each test changes one thing in what one of them answers.
"""

import copy
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from screening.client.client import Client
from screening.client.errors import (
    CertificateError,
    EvaluatorMisbehavedError,
    ProblemError,
    RecordSignatureError,
    TrustFileError,
    UnavailableError,
)
from screening.client.organisations import Organisations
from screening.client.profile import Profile, StoredSession
from screening.client.records import Records
from screening.client.transport import make_http
from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.signing import Statement
from tests.consortium import Consortium, make_consortium
from tests.servers import RawServer, raw
from tests.signed_records import RecordMaker

EVALUATORS = ("registry", "keyholder-1")
FEATURES = [[b"feature %d" % index for index in range(11)], [b"other"]]

Mutation = Callable[[dict[str, Any], Consortium], Any]


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
    """One for all tests that only look at answers; whatever a test made a party do, it does no longer."""
    yield shared
    shared.behave()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Consortium]:
    """One of its own, for a test that counts or stops something."""
    with make_consortium(tmp_path) as made:
        yield made


@pytest.fixture
def client(consortium: Consortium, http: httpx.Client) -> Iterator[Client]:
    with Client(consortium.profile("org"), http=http, clock=consortium.clock) as made:
        yield made


@pytest.fixture
def counting(fresh: Consortium, http: httpx.Client) -> Iterator[Client]:
    with Client(fresh.profile("org"), http=http, clock=fresh.clock) as made:
        yield made


@pytest.fixture
def logged_in(client: Client) -> Iterator[Client]:
    client.profile.save_session(StoredSession("scr_token", {"id": "p"}, client.clock()))
    yield client
    client.profile.forget_session()


def found_out(client: Client, evaluator: str) -> str:
    with pytest.raises(EvaluatorMisbehavedError) as caught:
        client.evaluate(FEATURES, "screening")
    assert caught.value.evaluator == evaluator
    assert str(caught.value) == f"{evaluator}: {caught.value.what}"
    return caught.value.what


# --- the honest case, without which the others prove nothing -----------------------------------------------------


def test_honest_evaluators_give_the_tokens_of_the_sum_of_their_shares(consortium: Consortium, client: Client) -> None:
    result = client.prepare_evaluation(FEATURES, "screening").complete()
    assert result.tokens == [[consortium.direct_token(feature) for feature in features] for features in FEATURES]
    assert result.charged == {"registry": 24, "keyholder-1": 24}
    assert result.promise is not None
    assert client.evaluate(FEATURES, "screening") == result.tokens


# --- wrong answers -----------------------------------------------------------------------------------------------


def another_share(answer: dict[str, Any], consortium: Consortium) -> None:
    """All elements and the proof are consistent, under a share that is not the pinned one."""
    share, public = voprf.generate_share()
    sent = [unb64u(element) for element in consortium.requests()[-1]["elements"]]
    evaluation = voprf.evaluate(share, public, sent)
    answer.update(elements=[b64u(e) for e in evaluation.elements], proof=b64u(evaluation.proof))


def another_share_proved_for_the_pinned_one(answer: dict[str, Any], consortium: Consortium) -> None:
    share, _ = voprf.generate_share()
    pinned = consortium.trust.evaluators[0].share
    sent = [unb64u(element) for element in consortium.requests()[-1]["elements"]]
    evaluation = voprf.evaluate(share, pinned, sent)
    answer.update(elements=[b64u(e) for e in evaluation.elements], proof=b64u(evaluation.proof))


def another_proof(answer: dict[str, Any], _consortium: Consortium) -> None:
    answer["proof"] = b64u(ristretto.random_scalar() + ristretto.random_scalar())


def one_bit_of_the_proof(answer: dict[str, Any], _consortium: Consortium) -> None:
    proof = bytearray(unb64u(answer["proof"]))
    proof[0] ^= 1
    answer["proof"] = b64u(bytes(proof))


def an_unreduced_proof(answer: dict[str, Any], _consortium: Consortium) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    proof = unb64u(answer["proof"])
    response = int.from_bytes(proof[32:], "little") + order
    answer["proof"] = b64u(proof[:32] + response.to_bytes(32, "little"))


def a_zero_proof(answer: dict[str, Any], _consortium: Consortium) -> None:
    answer["proof"] = b64u(bytes(64))


def swapped_rows(answer: dict[str, Any], _consortium: Consortium) -> None:
    answer["elements"][0], answer["elements"][1] = answer["elements"][1], answer["elements"][0]


def a_row_twice(answer: dict[str, Any], _consortium: Consortium) -> None:
    answer["elements"][1] = answer["elements"][0]


def another_element(answer: dict[str, Any], _consortium: Consortium) -> None:
    answer["elements"][5] = b64u(ristretto.from_hash(bytes(range(64))))


def the_blinded_elements_themselves(answer: dict[str, Any], consortium: Consortium) -> None:
    answer["elements"] = list(consortium.requests()[-1]["elements"])


PROOF_DOES_NOT_HOLD = [
    another_share,
    another_share_proved_for_the_pinned_one,
    another_proof,
    one_bit_of_the_proof,
    an_unreduced_proof,
    a_zero_proof,
    swapped_rows,
    a_row_twice,
    another_element,
    the_blinded_elements_themselves,
]


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("mutation", PROOF_DOES_NOT_HOLD)
def test_elements_or_a_proof_that_do_not_fit_the_pinned_share_are_found_out(
    consortium: Consortium, client: Client, evaluator: str, mutation: Mutation
) -> None:
    consortium.parties[evaluator].mutate = lambda answer: mutation(answer, consortium)
    assert "proof does not hold for its pinned public share" in found_out(client, evaluator)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(
    "change", [lambda rows: rows[:-1], lambda rows: rows[:16], lambda rows: [], lambda rows: rows * 2]
)
def test_fewer_or_more_rows_are_found_out(
    consortium: Consortium, client: Client, evaluator: str, change: Callable[[list[str]], list[str]]
) -> None:
    consortium.parties[evaluator].mutate = lambda answer: answer.update(elements=change(answer["elements"]))
    assert "another number of elements" in found_out(client, evaluator)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(
    ("element", "what"),
    [
        (b64u(bytes(32)), "the identity"),
        (b64u(b"\x01" + bytes(31)), "no element of the group"),
        (b64u(b"\xed" + b"\xff" * 30 + b"\x7f"), "no element of the group"),
        (b64u(bytes(31)), "not canonical base64url"),
        ("AAAA=", "not canonical base64url"),
        ("A" * 42 + "B", "not canonical base64url"),
        (7, "not canonical base64url"),
        (None, "not canonical base64url"),
    ],
)
def test_what_is_no_element_is_found_out(
    consortium: Consortium, client: Client, evaluator: str, element: object, what: str
) -> None:
    def mutate(answer: dict[str, Any]) -> None:
        answer["elements"][3] = element

    consortium.parties[evaluator].mutate = mutate
    assert what in found_out(client, evaluator)


@pytest.mark.parametrize("proof", ["", "A" * 85, b64u(bytes(63)), b64u(bytes(64)) + "=", None, 7])
def test_what_is_no_proof_is_found_out(consortium: Consortium, client: Client, proof: object) -> None:
    consortium.parties["keyholder-1"].mutate = lambda answer: answer.update(proof=proof)
    assert "not canonical base64url" in found_out(client, "keyholder-1")


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("protocol", "screening/2"),
        ("registry", "another"),
        ("epoch", 2),
        ("epoch", True),
        ("epoch", 1.0),
        ("evaluator", "keyholder-2"),
        ("batch", str(uuid.uuid4())),
        ("batch", None),
    ],
)
def test_an_answer_to_another_question_is_found_out(
    consortium: Consortium, client: Client, evaluator: str, field: str, value: object
) -> None:
    consortium.parties[evaluator].mutate = lambda answer: answer.update({field: value})
    assert f"another {field}" in found_out(client, evaluator)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(
    "field", ["protocol", "registry", "epoch", "evaluator", "batch", "elements", "proof", "charged"]
)
def test_an_answer_that_lacks_something_is_found_out(
    consortium: Consortium, client: Client, evaluator: str, field: str
) -> None:
    consortium.parties[evaluator].mutate = lambda answer: answer.pop(field) and None
    assert found_out(client, evaluator)


@pytest.mark.parametrize(
    "changes", [{"charged": 23}, {"charged": 48}, {"charged": -24}, {"remaining": -1}, {"charged": "24"}]
)
def test_a_charge_that_was_not_asked_is_found_out(
    consortium: Consortium, client: Client, changes: dict[str, Any]
) -> None:
    consortium.parties["keyholder-1"].mutate = lambda answer: answer.update(changes)
    assert "charges" in found_out(client, "keyholder-1")


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("pretends", [False, True])
def test_an_earlier_answer_played_again_is_found_out(
    consortium: Consortium, client: Client, evaluator: str, pretends: bool
) -> None:
    earlier: list[dict[str, Any]] = []
    party = consortium.parties[evaluator]
    party.mutate = lambda answer: earlier.append(copy.deepcopy(answer))
    client.evaluate(FEATURES, "screening")

    def replay(answer: dict[str, Any]) -> dict[str, Any]:
        return {**earlier[0], "batch": answer["batch"]} if pretends else earlier[0]

    party.mutate = replay
    assert ("proof does not hold" if pretends else "another batch") in found_out(client, evaluator)


def test_one_evaluators_answer_in_anothers_place_is_found_out(consortium: Consortium, client: Client) -> None:
    registrys: list[dict[str, Any]] = []
    pending = client.prepare_evaluation(FEATURES, "screening")
    consortium.parties["registry"].mutate = lambda answer: registrys.append(copy.deepcopy(answer))
    consortium.parties["keyholder-1"].respond = lambda: raw_unavailable()
    with pytest.raises(UnavailableError):
        pending.complete()
    consortium.parties["keyholder-1"].respond = None
    consortium.parties["keyholder-1"].mutate = lambda _answer: {**registrys[0], "evaluator": "keyholder-1"}
    with pytest.raises(EvaluatorMisbehavedError, match="proof does not hold") as caught:
        pending.complete()
    assert caught.value.evaluator == "keyholder-1"


def raw_unavailable() -> tuple[str, str, bytes]:
    return "503 Service Unavailable", "text/plain", b""


# --- promises ----------------------------------------------------------------------------------------------------


def test_an_evaluation_without_promise_is_found_out(consortium: Consortium, client: Client) -> None:
    consortium.parties["registry"].mutate = lambda answer: answer.pop("promise") and None
    assert "no promise" in found_out(client, "registry")


def test_a_promise_by_another_key_is_found_out(consortium: Consortium, client: Client) -> None:
    consortium.parties["registry"].mutate = lambda answer: answer.update(promise=consortium.forged_promise())
    assert "promise does not verify" in found_out(client, "registry")


def test_an_old_promise_is_found_out(fresh: Consortium, counting: Client) -> None:
    kept: list[Any] = []
    fresh.parties["registry"].mutate = lambda answer: kept.append(answer["promise"])
    counting.evaluate(FEATURES, "screening")
    fresh.clock.advance(minutes=6)
    fresh.parties["registry"].mutate = lambda answer: answer.update(promise=kept[0])
    assert "old one" in found_out(counting, "registry")


# --- wrong on the wire -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (("200 OK", "text/html", b"<html>please log in</html>"), "other than JSON"),
        (("200 OK", "application/json", b"<html>"), "not the JSON"),
        (("200 OK", "application/json", b"[]"), "not a JSON object"),
        (("200 OK", "application/json", b""), "not a JSON object"),
        (("200 OK", "application/json", b" " * 2_000_000), "larger than"),
        (("302 Found", "text/html", b""), "never followed"),
        (("500 Internal Server Error", "text/html", b"<h1>"), "problem document"),
    ],
)
def test_an_answer_that_is_none_is_found_out(
    consortium: Consortium, client: Client, evaluator: str, answer: tuple[str, str, bytes], what: str
) -> None:
    consortium.parties[evaluator].respond = lambda: answer
    assert what in found_out(client, evaluator)


def test_a_redirect_to_a_willing_helper_is_not_followed(consortium: Consortium, client: Client) -> None:
    with RawServer(lambda connection: connection.sendall(raw("200 OK", b"{}"))) as elsewhere:
        party = consortium.parties["keyholder-1"]
        party.respond = lambda: ("307 Temporary Redirect", "text/html", b"")
        party.headers = {"Location": elsewhere.url + "/v1/evaluations"}
        assert "never followed" in found_out(client, "keyholder-1")
        assert elsewhere.requests == []


def test_an_evaluator_that_hangs_is_unavailable_by_name(consortium: Consortium) -> None:
    released = time.monotonic() + 3

    def hang() -> tuple[str, str, bytes]:
        time.sleep(max(0.0, released - time.monotonic()))
        return raw_unavailable()

    consortium.parties["keyholder-1"].respond = hang
    with (
        httpx.Client(timeout=0.3) as impatient,
        Client(consortium.profile("org"), http=impatient, clock=consortium.clock) as client,
        pytest.raises(UnavailableError, match="did not answer in time") as caught,
    ):
        client.evaluate(FEATURES, "screening")
    assert caught.value.party == "keyholder-1"


def test_who_cheats_is_named_even_while_another_is_down(consortium: Consortium, client: Client) -> None:
    consortium.parties["registry"].respond = raw_unavailable
    consortium.parties["keyholder-1"].mutate = lambda answer: another_proof(answer, consortium)
    assert "proof" in found_out(client, "keyholder-1")


# --- records, certificates, trust files --------------------------------------------------------------------------


def unsign(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["version"]["signatures"] = []


def sign_with_the_registrys_key(record: dict[str, Any], maker: RecordMaker) -> None:
    statement = Statement(record["versions"][1]["version"]["body"])
    record["versions"][1]["version"] = statement.sign("organisation", maker.consortium.registry.signing).to_json()


def re_attribute(record: dict[str, Any], maker: RecordMaker) -> None:
    other = RecordMaker(maker.consortium, maker.consortium.enrol(f"org-{uuid.uuid4()}"), maker.record)
    record["versions"] = other.whole()["versions"]


def change_the_category(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["version"]["body"]["category"] = "SEA"


def hide_a_version(record: dict[str, Any], _maker: RecordMaker) -> None:
    del record["versions"][0]


def approve_by_nobody(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1].update(approval=None, approved_by=None)


def approve_in_the_registrys_name(record: dict[str, Any], maker: RecordMaker) -> None:
    statement = Statement(record["versions"][1]["approval"]["body"])
    record["versions"][1]["approval"] = statement.sign("registry", maker.consortium.registry.signing).to_json()


def swap_the_dossiers(record: dict[str, Any], _maker: RecordMaker) -> None:
    first, second = record["versions"][:2]
    first["dossier"], second["dossier"] = second["dossier"], first["dossier"]


def change_an_entry(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["entries"][0] = record["versions"][0]["entries"][0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (unsign, "version-unsigned"),
        (sign_with_the_registrys_key, "version-unsigned"),
        (re_attribute, "other-organisation"),
        (change_the_category, "version-unsigned"),
        (hide_a_version, "chain-broken"),
        (approve_by_nobody, "approval-missing"),
        (approve_in_the_registrys_name, "approval-unsigned"),
        (swap_the_dossiers, "dossier-exchanged"),
        (change_an_entry, "entries-exchanged"),
    ],
)
def test_a_registry_that_changes_a_record_is_found_out(
    consortium: Consortium, logged_in: Client, change: Callable[[dict[str, Any], RecordMaker], None], code: str
) -> None:
    maker = RecordMaker(consortium, consortium.members["org"], str(uuid.uuid4()))
    record = maker.whole()
    change(record, maker)
    consortium.parties["registry"].respond = answering({"record": record, "promise": None})
    with pytest.raises(RecordSignatureError) as caught:
        Records(logged_in).show(maker.record)
    assert (caught.value.record, caught.value.code) == (maker.record, code)
    assert str(caught.value).startswith(f"record {maker.record}: ")


@pytest.mark.parametrize("key", ["sealing_key", "recovery_key", "signing_key"])
def test_a_registry_that_exchanges_a_key_in_a_certificate_is_found_out(
    consortium: Consortium, logged_in: Client, key: str
) -> None:
    own, other = consortium.members["org"], consortium.enrol(f"org-{uuid.uuid4()}")
    exchanged = Statement({**own.statement.body, key: other.statement.body[key]}, own.statement.signatures)
    signed_again = exchanged.sign("registry", consortium.registry.signing)
    for certificate in (exchanged, signed_again, other.statement):
        consortium.parties["registry"].respond = answering({"certificate": certificate.to_json()})
        with pytest.raises(CertificateError, match="organisation certificate: "):
            Organisations(logged_in).certificate(own.keys.organisation)


def test_a_registry_that_publishes_another_trust_file_is_found_out(consortium: Consortium, client: Client) -> None:
    pinned, successor = consortium.trust_statement, consortium.successor()
    alone = Statement(successor.body).sign("registry", consortium.registry.signing)
    share = {**pinned.body["evaluators"][1], "share": b64u(voprf.generate_share()[1])}
    evaluators = [pinned.body["evaluators"][0], share]
    forged = [
        alone,
        Statement({**successor.body, "evaluators": evaluators}, successor.signatures),
        Statement({**pinned.body, "epoch": 2}, pinned.signatures),
        consortium.signed({**successor.body, "registry": "another"}),
        consortium.signed({**successor.body, "evaluators": successor.body["evaluators"][::-1]}),
        consortium.signed({**successor.body, "serial": 3}),
        consortium.signed({**pinned.body, "quorum": 0}),
    ]
    for statement in forged:
        consortium.parties["registry"].respond = answering({"trust": statement.to_json()})
        published = Organisations(client).fetch_trust()
        with pytest.raises(TrustFileError, match="trust file: "):
            client.profile.replace_trust(published)
        assert Profile(client.profile.directory).trust.fingerprint == consortium.trust.fingerprint


def answering(content: object) -> Callable[[], tuple[str, str, bytes]]:
    return lambda: ("200 OK", "application/json", json.dumps(content).encode())


# --- down, and up again ------------------------------------------------------------------------------------------


def test_a_keyholder_that_is_down_is_named_and_completing_later_charges_nothing_twice(
    fresh: Consortium, counting: Client
) -> None:
    fresh.stop("keyholder-1")
    pending = counting.prepare_evaluation(FEATURES, "screening")
    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            pending.complete()
        assert caught.value.party == "keyholder-1"
    assert fresh.charged("registry") == 24
    fresh.restart("keyholder-1")
    result = pending.complete()
    assert result.tokens == [[fresh.direct_token(feature) for feature in features] for features in FEATURES]
    assert fresh.charged("registry") == fresh.charged("keyholder-1") == 24
    assert pending.complete() == result
    assert len(fresh.parties["registry"].requests) == 1


def test_an_answer_lost_on_the_way_is_fetched_again_with_the_same_bytes_and_without_charge(
    fresh: Consortium, counting: Client
) -> None:
    pending = counting.prepare_evaluation(FEATURES, "screening")
    fresh.parties["registry"].lose_answers = True
    with pytest.raises(UnavailableError):
        pending.complete()
    assert fresh.charged("registry") == 24
    fresh.parties["registry"].lose_answers = False
    result = pending.complete()
    assert result.charged == {"keyholder-1": 24, "registry": 0}
    assert len(set(fresh.parties["registry"].requests)) == 1
    assert fresh.charged("registry") == 24


def test_completing_much_later_signs_again_and_is_still_the_same_batch(fresh: Consortium, counting: Client) -> None:
    pending = counting.prepare_evaluation(FEATURES, "screening")
    fresh.parties["registry"].lose_answers = True
    with pytest.raises(UnavailableError):
        pending.complete()
    fresh.parties["registry"].lose_answers = False
    fresh.clock.advance(hours=2)
    assert pending.complete().charged["registry"] == 0
    assert len(set(fresh.parties["registry"].requests)) == 2
    assert fresh.charged("registry") == 24


def test_a_refusal_names_the_evaluator(fresh: Consortium, counting: Client) -> None:
    fresh.keyholder.suspend(fresh.organisation("org"))
    with pytest.raises(ProblemError) as caught:
        counting.evaluate(FEATURES, "screening")
    assert (caught.value.party, caught.value.slug) == ("keyholder-1", "organisation-suspended")
