"""Records: what is checked before anything is sent, sealed to whom, and what an approver's program finds out."""

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from screening.client.client import Client
from screening.client.dossier import CaseDetails
from screening.client.entries import MAX_ENTRIES, packed
from screening.client.errors import RecordSignatureError
from screening.client.records import RecordInputError
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.signing import Statement, body_digest, key_id
from screening.crypto.tokens import entries_digest, unpack_entry
from screening.identity import Feature, Identity, current_scheme
from tests.consortium import Consortium
from tests.unit.client.scripted import ScriptedRegistry, scripted_registry

ANNA = Identity.from_dict({"given": "Anna Maria", "family": "Eriksen", "dob": "1980-01-02"})
TERMS: dict[str, Any] = {"category": "SH", "basis": "determination", "expires_on": date(2031, 1, 1)}
CASE = CaseDetails(separated_on=date(2026, 5, 1), case_reference="Tern 77", remarks="left harbour")


@pytest.fixture(scope="module")
def everything(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Consortium, ScriptedRegistry, Client]]:
    with scripted_registry(tmp_path_factory.mktemp("scripted")) as made:
        yield made


@pytest.fixture
def consortium(everything: tuple[Consortium, ScriptedRegistry, Client]) -> Consortium:
    return everything[0]


@pytest.fixture
def client(everything: tuple[Consortium, ScriptedRegistry, Client]) -> Client:
    return everything[2]


@pytest.fixture
def registry(everything: tuple[Consortium, ScriptedRegistry, Client]) -> ScriptedRegistry:
    everything[1].acts.clear()
    return everything[1]


def refused(client: Client, **changes: Any) -> RecordInputError:
    with pytest.raises(RecordInputError) as caught:
        client.records.add(changes.pop("identity", ANNA), **(TERMS | changes))
    return caught.value


def test_a_dossier_opens_with_both_own_keys_and_nothing_of_it_is_in_the_request(
    client: Client, registry: ScriptedRegistry, consortium: Consortium
) -> None:
    made = client.records.add(ANNA, **TERMS, case=CASE)
    [(path, body)] = registry.acts
    assert path == "/v1/records"
    assert not any(word in str(body) for word in ("Eriksen", "1980-01-02", "Tern 77", "left harbour"))
    member = consortium.members["owner"]
    keys = {key.key_id: key for key in (member.keys.sealing, member.recovery.sealing)}
    assert {box["recipient"] for box in body["dossier"]["boxes"]} == set(keys)
    bound: dict[str, Any] = {
        "label": "dossier",
        "registry": consortium.trust.registry,
        "object_id": made.id,
        "version": 1,
    }
    opened = {keys[box["recipient"]].open(unb64u(box["box"]), **bound) for box in body["dossier"]["boxes"]}
    assert len(opened) == 1
    assert b"Eriksen" in opened.pop()


def test_a_record_is_shown_as_it_was_entered(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS, case=CASE)
    opened = client.records.show(made.id)
    assert opened.dossier is not None
    assert (opened.dossier.identity, opened.dossier.case) == (ANNA, CASE)
    assert opened.summary.state == "submitted"
    assert "Eriksen" not in repr(opened)
    assert "Tern" not in repr(opened)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identity": Identity.from_dict({"full": "Anna Eriksen", "dob": "1980"})}, "record-quality"),
        ({"identity": Identity.from_dict({"full": "Anna"})}, "record-quality"),
        ({"basis": "pending"}, "review-date"),
        ({"review_on": date(2027, 1, 1)}, "review-date"),
        ({"basis": "pending", "review_on": date(2026, 11, 20)}, "dates"),
        ({"basis": "pending", "review_on": date(2032, 1, 1)}, "dates"),
        ({"expires_on": date(2026, 11, 20)}, "dates"),
    ],
)
def test_what_cannot_become_a_record_is_refused_before_anybody_is_asked(
    client: Client, registry: ScriptedRegistry, consortium: Consortium, changes: dict[str, Any], code: str
) -> None:
    before = [len(party.requests) for party in consortium.parties.values()]
    error = refused(client, **changes)
    assert error.code == code
    assert bool(error.missing) == (code == "record-quality")
    assert [len(party.requests) for party in consortium.parties.values()] == before


def test_an_approver_signs_what_derives_again_to_the_same(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS)
    client.records.approve(made.id)
    approval = Statement.from_json(registry.acts[-1][1]["approval"], expected_type="record-approval")
    approval.verify("organisation", client.certificate.signing_key)
    version = registry.record["versions"][0]["version"]
    assert approval.body["version"] == body_digest(version["body"])


def test_a_dossier_that_gives_other_entries_is_not_approved(client: Client, registry: ScriptedRegistry) -> None:
    """A colleague's program that signs entries of one person and the dossier of another."""
    other = client.records.add(Identity.from_dict({"full": "Somebody Else", "dob": "1981-03-04"}), **TERMS)
    foreign = copy.deepcopy(registry.record["versions"][0]["entries"])
    made = client.records.add(ANNA, **TERMS)
    assert made.id != other.id
    version = registry.record["versions"][0]
    body = version["version"]["body"] | {"tokens": entries_digest(map(unb64u, foreign))}
    version["version"] = Statement(body).sign("organisation", client.keys.signing).to_json()
    version["entries"] = foreign
    registry.acts.clear()
    with pytest.raises(RecordSignatureError) as caught:
        client.records.approve(made.id)
    assert caught.value.code == "entries-differ"
    assert registry.acts == []


def test_entries_that_the_registry_exchanged_are_not_approved(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS)
    registry.record["versions"][0]["entries"][0] = b64u(bytes(18))
    registry.acts.clear()
    with pytest.raises(RecordSignatureError):
        client.records.approve(made.id)
    assert registry.acts == []


def test_a_record_of_another_epoch_is_not_approved(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS)
    version = registry.record["versions"][0]
    body = version["version"]["body"] | {"epoch": 2}
    version["version"] = Statement(body).sign("organisation", client.keys.signing).to_json()
    with pytest.raises(RecordSignatureError) as caught:
        client.records.approve(made.id)
    assert caught.value.code == "other-epoch"


def test_a_dossier_of_another_record_does_not_open(client: Client, registry: ScriptedRegistry) -> None:
    client.records.add(Identity.from_dict({"full": "Somebody Else", "dob": "1981-03-04"}), **TERMS)
    foreign = copy.deepcopy(registry.record["versions"][0]["dossier"])
    made = client.records.add(ANNA, **TERMS)
    version = registry.record["versions"][0]
    body = version["version"]["body"] | {"dossier": body_digest(foreign)}
    version["version"] = Statement(body).sign("organisation", client.keys.signing).to_json()
    version["dossier"] = foreign
    with pytest.raises(RecordSignatureError) as caught:
        client.records.show(made.id)
    assert caught.value.code == "dossier-sealed"


def test_a_correction_follows_the_version_before_and_keeps_what_is_not_said(
    client: Client, registry: ScriptedRegistry
) -> None:
    made = client.records.add(ANNA, **TERMS, case=CASE)
    corrected = Identity.from_dict({"given": "Anna Maria", "family": "Eriksen", "dob": "1980-01-03"})
    client.records.correct(made.id, corrected)
    first, second = (version["version"]["body"] for version in registry.record["versions"])
    assert second["previous"] == body_digest(first)
    assert {name: second[name] for name in ("number", "category", "basis", "expires_on", "review_on")} == {
        "number": 2,
        "category": "SH",
        "basis": "determination",
        "expires_on": "2031-01-01",
        "review_on": None,
    }
    opened = client.records.show(made.id)
    assert opened.dossier is not None
    assert (opened.dossier.identity, opened.dossier.case) == (corrected, CASE)


def test_a_pending_record_keeps_its_review_date_until_it_is_determined(
    client: Client, registry: ScriptedRegistry
) -> None:
    made = client.records.add(ANNA, **(TERMS | {"basis": "pending", "review_on": date(2027, 6, 1)}))
    client.records.correct(made.id, ANNA)
    assert registry.record["versions"][1]["version"]["body"]["review_on"] == "2027-06-01"
    client.records.correct(made.id, ANNA, basis="determination")
    assert registry.record["versions"][2]["version"]["body"]["review_on"] is None


def test_a_return_note_is_sealed_opened_again_and_bounded(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS)
    client.records.return_(made.id, "Which birth date?")
    box = registry.acts[-1][1]["note"]
    registry.record["versions"][0]["returned_note"] = box
    assert client.records.show(made.id).return_note == "Which birth date?"
    registry.acts.clear()
    client.records.return_(made.id, "x" * 2_800)
    with pytest.raises(RecordInputError) as caught:
        client.records.return_(made.id, "x" * 2_900)
    assert caught.value.code == "note-too-long"
    assert len(registry.acts) == 1


def test_a_withdrawal_is_signed_with_its_reason(client: Client, registry: ScriptedRegistry) -> None:
    made = client.records.add(ANNA, **TERMS)
    client.records.withdraw(made.id, "overturned")
    withdrawal = Statement.from_json(registry.acts[-1][1]["withdrawal"], expected_type="record-withdrawal")
    withdrawal.verify("organisation", client.certificate.signing_key)
    assert withdrawal.body["reason"] == "overturned"


def test_case_details_come_back_as_they_were_and_unknown_ones_are_refused() -> None:
    assert CaseDetails.from_dict(CASE.to_dict()) == CASE
    assert CaseDetails.from_dict({}) == CaseDetails()
    for wrong in ({"name": "x"}, {"remarks": 7}, {"decided_on": "2026-02-31"}):
        with pytest.raises(ValueError, match=r"."):
            CaseDetails.from_dict(wrong)


def test_a_feature_of_several_names_is_evaluated_once_and_entered_for_each() -> None:
    scheme = current_scheme()
    person = Identity.from_dict({"full": "Anna Eriksen", "aliases": ["Eriksen Anna"], "dob": "1980-01-02"})
    features = scheme.features(person, role="record")
    tokens = {key: bytes([i]) * 16 for i, key in enumerate(_keys(features))}
    assert len(tokens) < len(features)
    entries = packed(scheme, features, tokens, MAX_ENTRIES["record"])
    assert len(entries) == len(set(features))
    assert {unpack_entry(entry).name for entry in entries} == {0, 1}


def test_where_entries_are_too_many_every_feature_stays_with_one_name() -> None:
    scheme = current_scheme()
    features = [Feature("all-parts+full-date", f"v{i}", name) for name in range(3) for i in range(20)]
    tokens = {key: bytes([i]) * 16 for i, key in enumerate(_keys(features))}
    entries = packed(scheme, features, tokens, 32)
    assert len(entries) == 32
    assert {unpack_entry(entry).token for entry in entries} == set(tokens.values())


def _keys(features: list[Feature]) -> list[bytes]:
    from screening.client.entries import encoded

    return encoded(current_scheme(), features)


def test_the_recovery_key_is_that_of_the_own_certificate(client: Client, consortium: Consortium) -> None:
    assert key_id(client.certificate.recovery_key) == consortium.members["owner"].recovery.sealing.key_id
