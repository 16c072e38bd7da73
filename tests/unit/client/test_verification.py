"""What the registry answers is believed only as far as it is signed, fits what was asked, and fits itself."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from audit.promise import make_promise
from screening.client.errors import (
    CertificateError,
    MisbehavedError,
    RecordSignatureError,
    RegistryMisbehavedError,
)
from screening.client.verification import (
    check_certificate,
    verify_promise,
    verify_record,
)
from screening.crypto.encoding import b64u
from screening.crypto.sealing import SealingKey
from screening.crypto.signing import SigningKey, Statement, body_digest
from screening.crypto.tokens import pack_entry
from tests.consortium import Consortium, Member, make_consortium
from tests.signed_records import APPROVER, RecordMaker


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with make_consortium(tmp_path_factory.mktemp("consortium")) as made:
        made.enrol("owner")
        made.enrol("other")
        yield made


@pytest.fixture
def owner(consortium: Consortium) -> Member:
    return consortium.members["owner"]


@pytest.fixture
def other(consortium: Consortium) -> Member:
    return consortium.members["other"]


# --- certificates ------------------------------------------------------------------------------------------------


def refused_certificate(consortium: Consortium, statement: Statement, organisation: str) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        check_certificate(statement.to_json(), consortium.trust, organisation=organisation)
    assert str(caught.value).startswith("organisation certificate: ")
    return caught.value


def test_a_certificate_signed_by_all_three_is_accepted(consortium: Consortium, owner: Member) -> None:
    found = check_certificate(owner.statement.to_json(), consortium.trust, organisation=owner.keys.organisation)
    assert found.sealing_key == owner.keys.sealing.public_bytes


def test_another_organisations_certificate_is_found_out(consortium: Consortium, owner: Member, other: Member) -> None:
    refused_certificate(consortium, other.statement, owner.keys.organisation)


@pytest.mark.parametrize("field", ["sealing_key", "recovery_key"])
def test_another_organisations_sealing_key_in_a_certificate_is_found_out(
    consortium: Consortium, owner: Member, other: Member, field: str
) -> None:
    body = {**owner.statement.body, field: other.statement.body[field]}
    refused_certificate(consortium, Statement(body, owner.statement.signatures), owner.keys.organisation)
    colluding = Statement(body).sign("registry", consortium.registry.signing)
    refused_certificate(consortium, colluding, owner.keys.organisation)
    colluding = colluding.sign("keyholder-1", consortium.keyholder_keys.signing)
    refused_certificate(consortium, colluding, owner.keys.organisation)


@pytest.mark.parametrize("signer", ["organisation", "registry", "keyholder-1"])
def test_a_certificate_that_lacks_a_signature_is_found_out(consortium: Consortium, owner: Member, signer: str) -> None:
    signatures = tuple(s for s in owner.statement.signatures if s.signer != signer)
    assert len(signatures) == 2
    refused_certificate(consortium, Statement(owner.statement.body, signatures), owner.keys.organisation)


def test_a_certificate_countersigned_with_keys_that_are_not_pinned_is_found_out(
    consortium: Consortium, owner: Member
) -> None:
    for signer in ("registry", "keyholder-1"):
        kept = tuple(s for s in owner.statement.signatures if s.signer != signer)
        forged = Statement(owner.statement.body, kept).sign(signer, SigningKey.generate())
        refused_certificate(consortium, forged, owner.keys.organisation)


@pytest.mark.parametrize("content", [None, [], {}, {"body": {}, "signatures": []}, "certificate"])
def test_what_is_no_certificate_is_found_out(consortium: Consortium, owner: Member, content: object) -> None:
    with pytest.raises(CertificateError):
        check_certificate(content, consortium.trust, organisation=owner.keys.organisation)


# --- records -----------------------------------------------------------------------------------------------------


@pytest.fixture
def maker(consortium: Consortium, owner: Member) -> RecordMaker:
    return RecordMaker(consortium, owner, str(uuid.uuid4()))


@pytest.fixture
def refused(consortium: Consortium, owner: Member, maker: RecordMaker) -> Callable[[Any], str]:
    """Gives the code with which a record is refused; the error names the record."""

    def refuse(content: Any) -> str:
        with pytest.raises(RecordSignatureError) as caught:
            verify_record(content, consortium.trust, record=maker.record, certificates=[owner.certificate])
        assert caught.value.record == maker.record
        assert str(caught.value).startswith(f"record {maker.record}: ")
        return caught.value.code

    return refuse


def test_a_record_that_its_owner_signed_is_accepted(consortium: Consortium, owner: Member, maker: RecordMaker) -> None:
    verified = verify_record(maker.whole(), consortium.trust, record=maker.record, certificates=[owner.certificate])
    assert [(version.number, version.state) for version in verified.versions] == [
        (1, "superseded"),
        (2, "approved"),
        (3, "submitted"),
    ]
    assert verified.versions[1].approval is not None
    assert verified.versions[2].approval is None


def test_another_record_than_was_asked_for_is_found_out(
    consortium: Consortium, owner: Member, refused: Callable[[Any], str]
) -> None:
    elsewhere = RecordMaker(consortium, owner, str(uuid.uuid4())).whole()
    assert refused(elsewhere) == "other-record"


def test_another_record_under_the_id_that_was_asked_for_is_found_out(
    consortium: Consortium, owner: Member, maker: RecordMaker, refused: Callable[[Any], str]
) -> None:
    elsewhere = RecordMaker(consortium, owner, str(uuid.uuid4())).whole()
    assert refused({**elsewhere, "id": maker.record}) == "other-record"


def test_another_organisations_record_is_found_out(
    consortium: Consortium, other: Member, maker: RecordMaker, refused: Callable[[Any], str]
) -> None:
    assert refused(RecordMaker(consortium, other, maker.record).whole()) == "other-organisation"


def test_a_record_re_attributed_to_another_organisation_is_found_out(
    consortium: Consortium, other: Member, maker: RecordMaker
) -> None:
    with pytest.raises(RecordSignatureError) as caught:
        verify_record(maker.whole(), consortium.trust, record=maker.record, certificates=[other.certificate])
    assert caught.value.code == "other-organisation"
    relabelled = maker.whole()
    for version in relabelled["versions"]:
        version["version"]["body"]["organisation"] = other.keys.organisation
    with pytest.raises(RecordSignatureError) as caught:
        verify_record(relabelled, consortium.trust, record=maker.record, certificates=[other.certificate])
    assert caught.value.code == "version-unsigned"


Change = Callable[[dict[str, Any], RecordMaker], Any]


def _unsign(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["version"]["signatures"] = []


def _sign_with_another_key(record: dict[str, Any], _maker: RecordMaker) -> None:
    body = record["versions"][1]["version"]["body"]
    record["versions"][1]["version"] = Statement(body).sign("organisation", SigningKey.generate()).to_json()


def _sign_as_registry(record: dict[str, Any], maker: RecordMaker) -> None:
    body = record["versions"][1]["version"]["body"]
    record["versions"][1]["version"] = Statement(body).sign("registry", maker.consortium.registry.signing).to_json()


def _change_the_category(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["version"]["body"]["category"] = "SEA"


def _swap_signatures(record: dict[str, Any], _maker: RecordMaker) -> None:
    first, second = record["versions"][0]["version"], record["versions"][1]["version"]
    first["signatures"], second["signatures"] = second["signatures"], first["signatures"]


def _drop_the_first_version(record: dict[str, Any], _maker: RecordMaker) -> None:
    del record["versions"][0]


def _drop_a_version_between(record: dict[str, Any], _maker: RecordMaker) -> None:
    del record["versions"][1]


def _reorder(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"].reverse()


def _renumber(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][2]["number"] = 2


def _fork(record: dict[str, Any], maker: RecordMaker) -> None:
    record["versions"][2] = maker.version(3, "00" * 32, "submitted")


def _swap_dossiers(record: dict[str, Any], _maker: RecordMaker) -> None:
    first, second = record["versions"][0], record["versions"][1]
    first["dossier"], second["dossier"] = second["dossier"], first["dossier"]


def _drop_the_dossier(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["dossier"] = None


def _seal_to_another(record: dict[str, Any], maker: RecordMaker) -> None:
    version = record["versions"][2]
    version["dossier"]["boxes"][0]["recipient"] = SealingKey.generate().key_id
    body = {**version["version"]["body"], "dossier": body_digest(version["dossier"])}
    version["version"] = maker.signed(body)


def _drop_a_box(record: dict[str, Any], maker: RecordMaker) -> None:
    version = record["versions"][2]
    del version["dossier"]["boxes"][1]
    body = {**version["version"]["body"], "dossier": body_digest(version["dossier"])}
    version["version"] = maker.signed(body)


def _change_an_entry(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["entries"][0] = b64u(pack_entry(9, None, bytes(16)))


def _drop_an_entry(record: dict[str, Any], _maker: RecordMaker) -> None:
    del record["versions"][1]["entries"][0]


def _garble_an_entry(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["entries"][0] = "AAA"


def _drop_the_approval(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["approval"] = None


def _claim_that_nothing_is_approved(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["state"] = "submitted"


def _unsign_the_approval(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["approval"]["signatures"] = []


def _approve_with_another_key(record: dict[str, Any], _maker: RecordMaker) -> None:
    body = record["versions"][1]["approval"]["body"]
    record["versions"][1]["approval"] = Statement(body).sign("organisation", SigningKey.generate()).to_json()


def _reuse_an_approval(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][2].update(approval=record["versions"][1]["approval"], approved_by=APPROVER, state="approved")


def _approve_another_digest(record: dict[str, Any], maker: RecordMaker) -> None:
    body = {**record["versions"][1]["approval"]["body"], "version": "00" * 32}
    record["versions"][1]["approval"] = maker.signed(body)


def _approve_ones_own(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["approved_by"] = record["versions"][1]["submitted_by"]


def _approve_by_nobody(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"][1]["approved_by"] = None


def _withdraw_unsigned(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["state"] = "withdrawn"


def _withdraw_with_another_key(record: dict[str, Any], maker: RecordMaker) -> None:
    body = maker.withdrawal(3)["body"]
    forged = Statement(body).sign("organisation", SigningKey.generate()).to_json()
    record.update(state="withdrawn", withdrawal=forged)


def _withdraw_another_version(record: dict[str, Any], maker: RecordMaker) -> None:
    record.update(state="withdrawn", withdrawal=maker.withdrawal(1))


def _no_versions(record: dict[str, Any], _maker: RecordMaker) -> None:
    record["versions"] = []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_unsign, "version-unsigned"),
        (_sign_with_another_key, "version-unsigned"),
        (_sign_as_registry, "version-unsigned"),
        (_change_the_category, "version-unsigned"),
        (_swap_signatures, "version-unsigned"),
        (_drop_the_first_version, "chain-broken"),
        (_drop_a_version_between, "chain-broken"),
        (_reorder, "chain-broken"),
        (_renumber, "chain-broken"),
        (_fork, "chain-broken"),
        (_swap_dossiers, "dossier-exchanged"),
        (_drop_the_dossier, "dossier-exchanged"),
        (_seal_to_another, "dossier-recipients"),
        (_drop_a_box, "dossier-recipients"),
        (_change_an_entry, "entries-exchanged"),
        (_drop_an_entry, "entries-exchanged"),
        (_garble_an_entry, "entries-exchanged"),
        (_drop_the_approval, "approval-missing"),
        (_claim_that_nothing_is_approved, "approval-missing"),
        (_unsign_the_approval, "approval-unsigned"),
        (_approve_with_another_key, "approval-unsigned"),
        (_reuse_an_approval, "approval-other-version"),
        (_approve_another_digest, "approval-other-version"),
        (_approve_ones_own, "approval-own"),
        (_approve_by_nobody, "approval-own"),
        (_withdraw_unsigned, "withdrawal-unsigned"),
        (_withdraw_with_another_key, "withdrawal-unsigned"),
        (_withdraw_another_version, "withdrawal-other-version"),
        (_no_versions, "malformed"),
    ],
)
def test_a_changed_record_is_found_out(
    maker: RecordMaker, refused: Callable[[Any], str], change: Change, code: str
) -> None:
    record = maker.whole()
    change(record, maker)
    assert refused(record) == code


def test_a_withdrawn_record_keeps_its_signed_tombstone(
    consortium: Consortium, owner: Member, maker: RecordMaker
) -> None:
    record = {**maker.whole(), "state": "withdrawn", "withdrawal": maker.withdrawal(3)}
    for version in record["versions"]:
        version.update(entries=None, dossier=None)
    verified = verify_record(record, consortium.trust, record=maker.record, certificates=[owner.certificate])
    assert verified.withdrawal is not None
    assert all(version.entries is None and version.dossier is None for version in verified.versions)


def test_a_record_without_any_certificate_of_its_owner_is_not_believed(
    consortium: Consortium, maker: RecordMaker
) -> None:
    with pytest.raises(RecordSignatureError):
        verify_record(maker.whole(), consortium.trust, record=maker.record, certificates=[])


# --- promises ----------------------------------------------------------------------------------------------------


def promise(consortium: Consortium, *, key: SigningKey | None = None, **changes: Any) -> dict[str, Any]:
    log = key or consortium.registry.log
    given = {
        "origin": consortium.trust.log_origin,
        "event_id": uuid.uuid4(),
        "leaf_hash": bytes(32),
        "time": consortium.clock(),
        **changes,
    }
    return make_promise(log.sign, key=log.key_id, **given)


def test_the_logs_promise_is_believed(consortium: Consortium) -> None:
    given = promise(consortium)
    assert verify_promise(given, consortium.trust, now=consortium.clock()) == given


@pytest.mark.parametrize(
    "changes",
    [
        {"key": SigningKey.generate()},
        {"origin": "another.log"},
        {"time": "future"},
        {"time": "past"},
    ],
)
def test_a_promise_of_another_log_or_time_is_found_out(consortium: Consortium, changes: dict[str, Any]) -> None:
    moved = {"future": timedelta(minutes=6), "past": timedelta(minutes=-6)}
    if "time" in changes:
        changes = {"time": consortium.clock() + moved[changes["time"]]}
    with pytest.raises(MisbehavedError, match="promise"):
        verify_promise(
            promise(consortium, **changes), consortium.trust, now=consortium.clock(), max_age=timedelta(minutes=5)
        )


@pytest.mark.parametrize("content", [None, "promise", {}, {"body": {}, "signatures": []}])
def test_what_is_no_promise_is_found_out(consortium: Consortium, content: object) -> None:
    with pytest.raises(RegistryMisbehavedError):
        verify_promise(content, consortium.trust, now=consortium.clock())
