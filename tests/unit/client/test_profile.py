"""A profile holds what is pinned and secret: it is the owner's alone, checked whenever read, never half-written."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from screening.client.errors import CertificateError, ClientError, NotLoggedInError, ProfileError, TrustFileError
from screening.client.profile import (
    CERTIFICATE_FILE,
    KEYS_FILE,
    SESSION_FILE,
    TRUST_FILE,
    Profile,
    StoredSession,
)
from screening.crypto.encoding import b64u
from screening.crypto.keyring import OrganisationKeyring
from screening.crypto.signing import SigningKey, Statement
from tests.consortium import Consortium, make_consortium

SESSION = StoredSession("scr_secret_token", {"id": "p1", "name": "R. Cruiter"}, datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with make_consortium(tmp_path_factory.mktemp("consortium")) as made:
        made.enrol("org")
        made.enrol("other")
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Profile:
    return Profile.create(tmp_path / "profile")


@pytest.fixture
def profile(consortium: Consortium, empty: Profile) -> Profile:
    empty.pin_trust(consortium.trust_statement, fingerprint=consortium.trust.fingerprint)
    empty.save_keys(consortium.members["org"].keys)
    empty.save_certificate(consortium.members["org"].statement)
    return empty


def again(profile: Profile) -> Profile:
    return Profile(profile.directory)


# --- trust -------------------------------------------------------------------------------------------------------


def test_what_was_pinned_is_read_again(consortium: Consortium, profile: Profile) -> None:
    assert again(profile).trust.fingerprint == consortium.trust.fingerprint


def test_the_spoken_fingerprint_pins_as_well(consortium: Consortium, empty: Profile) -> None:
    spoken = consortium.trust.spoken_fingerprint
    assert empty.pin_trust(consortium.trust_statement, fingerprint=f" {spoken.upper()}\n").serial == 1


@pytest.mark.parametrize("fingerprint", ["", "00" * 32, "0000 0000"])
def test_another_fingerprint_pins_nothing(consortium: Consortium, empty: Profile, fingerprint: str) -> None:
    with pytest.raises(TrustFileError) as caught:
        empty.pin_trust(consortium.trust_statement, fingerprint=fingerprint)
    assert caught.value.code == "fingerprint-differs"
    assert not (empty.directory / TRUST_FILE).exists()


@pytest.mark.parametrize("signer", ["registry", "keyholder-1"])
def test_a_trust_file_that_lacks_a_signature_is_refused(consortium: Consortium, empty: Profile, signer: str) -> None:
    kept = tuple(s for s in consortium.trust_statement.signatures if s.signer != signer)
    with pytest.raises(TrustFileError):
        empty.pin_trust(Statement(consortium.trust_statement.body, kept), fingerprint=consortium.trust.fingerprint)


@pytest.mark.parametrize(
    "change",
    [
        {"registry": "another"},
        {"epoch": 2},
        {"serial": 7},
        {"quorum": 0},
        {"scheme": {"version": 1, "digest": "00" * 32}},
        {"stretch": {"algorithm": "argon2id", "memory_kib": 8, "iterations": 1, "parallelism": 1, "length": 32}},
    ],
)
def test_a_changed_trust_file_is_refused(consortium: Consortium, empty: Profile, change: dict[str, object]) -> None:
    forged = Statement({**consortium.trust_statement.body, **change}, consortium.trust_statement.signatures)
    with pytest.raises(TrustFileError):
        empty.pin_trust(forged, fingerprint=consortium.trust.fingerprint)


def test_a_changed_share_is_refused(consortium: Consortium, empty: Profile) -> None:
    body = json.loads(json.dumps(consortium.trust_statement.body))
    body["evaluators"][0]["share"], body["evaluators"][1]["share"] = (
        body["evaluators"][1]["share"],
        body["evaluators"][0]["share"],
    )
    with pytest.raises(TrustFileError):
        empty.pin_trust(
            Statement(body, consortium.trust_statement.signatures), fingerprint=consortium.trust.fingerprint
        )


def test_re_ordered_evaluators_are_refused(consortium: Consortium, empty: Profile) -> None:
    body = json.loads(json.dumps(consortium.trust_statement.body))
    body["evaluators"].reverse()
    with pytest.raises(TrustFileError):
        empty.pin_trust(
            Statement(body, consortium.trust_statement.signatures), fingerprint=consortium.trust.fingerprint
        )
    with pytest.raises(TrustFileError):
        empty.pin_trust(consortium.signed(body), fingerprint=consortium.trust.fingerprint)


def test_a_second_trust_file_replaces_no_pinned_one(consortium: Consortium, profile: Profile) -> None:
    other = consortium.signed({**consortium.trust_statement.body, "issued_at": "2026-11-20T15:00:00Z"})
    with pytest.raises(TrustFileError) as caught:
        again(profile).pin_trust(other, fingerprint=consortium.fingerprint(other))
    assert caught.value.code == "already-pinned"


def test_a_successor_signed_by_all_is_taken_and_none_goes_back(consortium: Consortium, profile: Profile) -> None:
    successor = consortium.successor()
    assert profile.replace_trust(successor).serial == 2
    assert again(profile).trust.serial == 2
    with pytest.raises(TrustFileError):
        again(profile).replace_trust(consortium.trust_statement)
    assert again(profile).trust.serial == 2


def test_the_pinned_trust_file_again_changes_nothing(consortium: Consortium, profile: Profile) -> None:
    assert profile.replace_trust(consortium.trust_statement).serial == 1


@pytest.mark.parametrize("signer", ["registry", "keyholder-1"])
def test_a_successor_that_lacks_a_signature_is_refused(consortium: Consortium, profile: Profile, signer: str) -> None:
    successor = consortium.successor()
    kept = tuple(s for s in successor.signatures if s.signer != signer)
    with pytest.raises(TrustFileError):
        profile.replace_trust(Statement(successor.body, kept))
    assert again(profile).trust.serial == 1


@pytest.mark.parametrize("change", [{"serial": 3}, {"serial": 1}, {"previous": "00" * 32}, {"registry": "another"}])
def test_a_successor_of_something_else_is_refused(
    consortium: Consortium, profile: Profile, change: dict[str, object]
) -> None:
    with pytest.raises(TrustFileError):
        profile.replace_trust(consortium.signed({**consortium.successor().body, **change}))


def test_new_signers_alone_cannot_replace_the_old_ones(consortium: Consortium, profile: Profile) -> None:
    body = json.loads(json.dumps(consortium.successor().body))
    key = SigningKey.generate()
    body["evaluators"][1]["signing_key"] = b64u(key.public_bytes)
    forged = Statement(body).sign("registry", consortium.registry.signing).sign("keyholder-1", key)
    with pytest.raises(TrustFileError):
        profile.replace_trust(forged)


def test_a_trust_file_changed_on_disk_is_refused(profile: Profile) -> None:
    path = profile.directory / TRUST_FILE
    path.write_text(path.read_text().replace('"epoch": 1', '"epoch": 2'))
    with pytest.raises(TrustFileError):
        _ = again(profile).trust


# --- keys and certificate ----------------------------------------------------------------------------------------


def test_keys_are_never_overwritten(consortium: Consortium, profile: Profile) -> None:
    with pytest.raises(ProfileError) as caught:
        profile.save_keys(consortium.members["other"].keys)
    assert caught.value.code == "keys-exist"
    assert again(profile).keys.signing.key_id == consortium.members["org"].keys.signing.key_id


def test_keys_behind_a_passphrase_need_it(consortium: Consortium, empty: Profile) -> None:
    empty.save_keys(consortium.members["org"].keys, passphrase="correct horse battery staple")
    for wrong in (None, "another horse battery staple"):
        with pytest.raises(ProfileError) as caught:
            _ = Profile(empty.directory, passphrase=wrong).keys
        assert caught.value.code == "keys-unusable"
    keys = Profile(empty.directory, passphrase="correct horse battery staple").keys
    assert keys.signing.key_id == consortium.members["org"].keys.signing.key_id


def test_another_organisations_certificate_is_refused(consortium: Consortium, profile: Profile) -> None:
    with pytest.raises(CertificateError):
        profile.save_certificate(consortium.members["other"].statement)
    assert again(profile).certificate.organisation == consortium.members["org"].certificate.organisation


def test_a_certificate_with_other_keys_than_ones_own_is_refused(consortium: Consortium, empty: Profile) -> None:
    organisation = consortium.organisation("org")
    empty.pin_trust(consortium.trust_statement, fingerprint=consortium.trust.fingerprint)
    empty.save_keys(OrganisationKeyring.generate(registry=consortium.trust.registry, organisation=organisation))
    with pytest.raises(CertificateError) as caught:
        empty.save_certificate(consortium.members["org"].statement)
    assert caught.value.code == "other-keys"


def test_an_incomplete_certificate_is_kept_only_as_such(consortium: Consortium, profile: Profile) -> None:
    complete = consortium.members["org"].statement
    own = tuple(s for s in complete.signatures if s.signer == "organisation")
    profile.save_certificate(Statement(complete.body, own), complete=False)
    assert again(profile).certificate_statement.digest == complete.digest
    with pytest.raises(CertificateError):
        _ = again(profile).certificate


# --- session -----------------------------------------------------------------------------------------------------


def test_a_session_is_kept_hidden_and_forgotten(profile: Profile) -> None:
    profile.save_session(SESSION)
    assert again(profile).session == SESSION
    assert "secret" not in repr(again(profile).session)
    profile.forget_session()
    profile.forget_session()
    with pytest.raises(NotLoggedInError):
        _ = again(profile).session


@pytest.mark.parametrize(
    "content", ["{}", "[]", "", '{"token": 1, "person": {}, "expires_at": "2026-11-21T00:00:00Z"}', '{"token": "x"}']
)
def test_a_damaged_session_is_said(profile: Profile, content: str) -> None:
    profile.save_session(SESSION)
    (profile.directory / SESSION_FILE).write_text(content)
    with pytest.raises(ProfileError) as caught:
        _ = again(profile).session
    assert caught.value.code == "damaged"


# --- files -------------------------------------------------------------------------------------------------------


def test_every_file_is_the_owners_alone(profile: Profile) -> None:
    profile.save_session(SESSION)
    assert stat.S_IMODE(profile.directory.stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in profile.directory.iterdir()}
    assert names == dict.fromkeys((TRUST_FILE, KEYS_FILE, CERTIFICATE_FILE, SESSION_FILE), 0o600)


@pytest.mark.parametrize("name", [TRUST_FILE, KEYS_FILE, CERTIFICATE_FILE, SESSION_FILE])
@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_that_others_may_read_is_refused(profile: Profile, name: str, mode: int) -> None:
    profile.save_session(SESSION)
    (profile.directory / name).chmod(mode)
    with pytest.raises(ProfileError):
        _ = (again(profile).session, again(profile).certificate)


@pytest.mark.parametrize(
    ("attribute", "code"), [("trust", "no-trust-file"), ("keys", "no-keys"), ("certificate", "no-certificate")]
)
def test_what_is_missing_is_said(empty: Profile, attribute: str, code: str) -> None:
    with pytest.raises(ProfileError) as caught:
        getattr(empty, attribute)
    assert caught.value.code == code


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00", "{}", '{"body": {}, "signatures": []}'])
def test_a_damaged_trust_file_is_said(profile: Profile, content: str) -> None:
    (profile.directory / TRUST_FILE).write_text(content)
    with pytest.raises(ProfileError) as caught:
        _ = again(profile).trust
    assert caught.value.code == "damaged"


def test_a_profile_that_cannot_be_written_is_said_and_loses_nothing(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.save_session(SESSION)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ProfileError, match="No space left") as caught:
        profile.save_session(StoredSession("scr_new", {}, SESSION.expires_at))
    assert caught.value.code == "unwritable"
    assert again(profile).session == SESSION
    assert len(list(profile.directory.iterdir())) == 4


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientError) as caught:
        Profile.create(tmp_path / "file" / "profile")
    assert isinstance(caught.value, ProfileError)
