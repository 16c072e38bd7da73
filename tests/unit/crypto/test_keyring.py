"""Key files: private, whole or absent, bound to their header; secrets appear nowhere else."""

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from screening.crypto import voprf
from screening.crypto._private_file import MAX_BYTES
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import KeyringError
from screening.crypto.keyring import (
    DEFAULT_COST,
    KeyholderKeyring,
    Keyring,
    OrganisationKeyring,
    PassphraseCost,
    RecoveryKeyring,
    RegistryKeyring,
)

ORGANISATION = "0191f0c0-0000-7000-8000-000000000000"
CHEAP = PassphraseCost(memory_kib=8, iterations=1, parallelism=1)
PASSPHRASE = "correct horse"

MAKE: dict[str, Callable[[], Keyring]] = {
    "organisation": lambda: OrganisationKeyring.generate(registry="demo", organisation=ORGANISATION),
    "recovery": lambda: RecoveryKeyring.generate(organisation=ORGANISATION),
    "registry": lambda: RegistryKeyring.generate(registry="demo"),
    "keyholder": lambda: KeyholderKeyring.generate(keyholder="north"),
}
each_kind = pytest.mark.parametrize("kind", MAKE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@each_kind
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_keys_survive_the_file(kind: str, passphrase: str | None, path: Path) -> None:
    made = MAKE[kind]()
    made.save(path, passphrase, cost=CHEAP)
    read = type(made).load(path, passphrase)
    assert read._secrets() == made._secrets()
    assert repr(read) == repr(made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_has_the_documented_form(path: Path) -> None:
    made = OrganisationKeyring.generate(registry="demo", organisation=ORGANISATION)
    made.save(path)
    assert json.loads(path.read_text()) == {
        "kind": "organisation",
        "version": 1,
        "holder": {"registry": "demo", "organisation": ORGANISATION},
        "keys": {
            "signing": b64u(made.signing.seed_bytes),
            "sealing": b64u(made.sealing.private_bytes),
            "self": b64u(made.self_key),
        },
    }


def test_generated_keys_differ_and_shares_are_scalars() -> None:
    one, other = (RegistryKeyring.generate(registry="demo") for _ in range(2))
    assert not set(one._secrets().values()) & set(other._secrets().values())
    assert voprf.public_share(one.share) != voprf.public_share(other.share)


@each_kind
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_no_repr_and_no_error_shows_a_secret(kind: str, passphrase: str | None, path: Path) -> None:
    made = MAKE[kind]()
    made.save(path, passphrase, cost=CHEAP)
    shown = [repr(made), str(made), f"{made}", repr([made]), repr(made.load)]
    for broken in (b"{", path.read_bytes()[:-5]):
        path.chmod(0o600)
        path.write_bytes(broken)
        with pytest.raises(KeyringError) as caught:
            type(made).load(path, passphrase)
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    for secret in made._secrets().values():
        for form in (secret.hex(), b64u(secret), base64.b64encode(secret).decode(), repr(secret)):
            assert not any(form in text for text in shown)


@each_kind
def test_a_sealed_file_holds_no_secret_in_clear(kind: str, path: Path) -> None:
    made = MAKE[kind]()
    made.save(path, PASSPHRASE, cost=CHEAP)
    content = path.read_text()
    assert PASSPHRASE not in content
    assert not any(b64u(secret) in content for secret in made._secrets().values())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o644, 0o777])
def test_a_file_that_others_may_use_is_refused(mode: int, path: Path) -> None:
    MAKE["recovery"]().save(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match="others may read"):
        RecoveryKeyring.load(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_read(mode: int, path: Path) -> None:
    MAKE["recovery"]().save(path)
    path.chmod(mode)
    RecoveryKeyring.load(path)


def test_the_mode_does_not_depend_on_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        MAKE["recovery"]().save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_refused(path: Path) -> None:
    MAKE["recovery"]().save(path)
    link = path.with_name("link.json")
    link.symlink_to(path)
    with pytest.raises(KeyringError, match="it is a link"):
        RecoveryKeyring.load(link)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    for path in (fifo, tmp_path):
        with pytest.raises(KeyringError, match="not a regular file"):
            RecoveryKeyring.load(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(KeyringError, match=r"keys\.json cannot be opened: No such file"):
        RecoveryKeyring.load(path)


def test_a_file_too_large_for_keys_is_refused(path: Path) -> None:
    MAKE["recovery"]().save(path)
    with path.open("ab") as file:
        file.write(b" " * MAX_BYTES)
    with pytest.raises(KeyringError, match="too large"):
        RecoveryKeyring.load(path)


@each_kind
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_every_truncation_is_refused(kind: str, passphrase: str | None, path: Path) -> None:
    made = MAKE[kind]()
    made.save(path, passphrase, cost=CHEAP)
    content = path.read_bytes().rstrip()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(KeyringError):
            type(made).load(path, passphrase)


def test_a_missing_wrong_or_empty_passphrase_is_refused(path: Path) -> None:
    made = MAKE["recovery"]()
    made.save(path, PASSPHRASE, cost=CHEAP)
    with pytest.raises(KeyringError, match="passphrase is needed"):
        RecoveryKeyring.load(path)
    for wrong in ("correct horsf", "correct horse ", "Correct horse"):
        with pytest.raises(KeyringError, match="passphrase is wrong"):
            RecoveryKeyring.load(path, wrong)
    with pytest.raises(KeyringError, match="empty"):
        RecoveryKeyring.load(path, "")
    with pytest.raises(KeyringError, match="empty"):
        made.save(path.with_name("other"), "", cost=CHEAP)
    with pytest.raises(KeyringError):
        RecoveryKeyring.load(path, "\ud800")
    assert not path.with_name("other").exists()


def test_the_documented_cost_is_used_when_none_is_given(path: Path) -> None:
    made = MAKE["recovery"]()
    made.save(path, PASSPHRASE)
    encryption = json.loads(path.read_text())["encryption"]
    assert (encryption["memory_kib"], encryption["iterations"]) == (64 * 1024, 3)
    assert RecoveryKeyring.load(path, PASSPHRASE)._secrets() == made._secrets()
    assert DEFAULT_COST.memory_kib == 64 * 1024


HEADER_CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "holder": lambda c: c["holder"].update(organisation="another"),
    "salt": lambda c: c["encryption"].update(salt=b64u(bytes(16))),
    "nonce": lambda c: c["encryption"].update(nonce=b64u(bytes(12))),
    "cost": lambda c: c["encryption"].update(iterations=2),
    "sealed": lambda c: c.update(sealed=b64u(bytes(1) + unb64u(c["sealed"])[1:])),
    "sealed short": lambda c: c.update(sealed=""),
    "sealed no text": lambda c: c.update(sealed=5),
}


@pytest.mark.parametrize("change", HEADER_CHANGES)
def test_a_sealed_file_whose_header_or_content_was_changed_is_refused(change: str, path: Path) -> None:
    MAKE["recovery"]().save(path, PASSPHRASE, cost=CHEAP)
    edit(path, HEADER_CHANGES[change])
    with pytest.raises(KeyringError, match="was changed"):
        RecoveryKeyring.load(path, PASSPHRASE)


MALFORMED_SEALED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no encryption": lambda c: c.pop("encryption"),
    "encryption no object": lambda c: c.update(encryption=[]),
    "a field less": lambda c: c["encryption"].pop("nonce"),
    "a field more": lambda c: c["encryption"].update(more=1),
    "another algorithm": lambda c: c["encryption"].update(algorithm="none"),
    "memory without bound": lambda c: c["encryption"].update(memory_kib=2**31),
    "memory no integer": lambda c: c["encryption"].update(memory_kib="8"),
    "memory below lanes": lambda c: c["encryption"].update(parallelism=16),
    "salt short": lambda c: c["encryption"].update(salt="AA"),
    "both forms": lambda c: c.update(keys={}),
}


@pytest.mark.parametrize("change", MALFORMED_SEALED)
def test_a_malformed_sealed_file_is_refused(change: str, path: Path) -> None:
    MAKE["recovery"]().save(path, PASSPHRASE, cost=CHEAP)
    edit(path, MALFORMED_SEALED[change])
    with pytest.raises(KeyringError):
        RecoveryKeyring.load(path, PASSPHRASE)


MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another kind": lambda c: c.update(kind="recovery"),
    "no kind": lambda c: c.pop("kind"),
    "another version": lambda c: c.update(version=2),
    "no holder": lambda c: c.pop("holder"),
    "holder no object": lambda c: c.update(holder="demo"),
    "holder without a field": lambda c: c.update(holder={}),
    "holder with more": lambda c: c["holder"].update(more="x"),
    "holder no text": lambda c: c["holder"].update(registry=1),
    "no keys": lambda c: c.pop("keys"),
    "keys no object": lambda c: c.update(keys=[]),
    "a key less": lambda c: c["keys"].pop("share"),
    "a key more": lambda c: c["keys"].update(more="AAAA"),
    "a key no text": lambda c: c["keys"].update(share=None),
    "a key of another length": lambda c: c["keys"].update(signing=b64u(bytes(31))),
    "a key not canonical": lambda c: c["keys"].update(signing=b64u(bytes(32)) + "="),
    "a zero share": lambda c: c["keys"].update(share=b64u(bytes(32))),
    "an unreduced share": lambda c: c["keys"].update(share=b64u(b"\xff" * 32)),
    "one field more": lambda c: c.update(more=1),
}


@pytest.mark.parametrize("change", MALFORMED)
def test_a_malformed_file_is_refused(change: str, path: Path) -> None:
    MAKE["registry"]().save(path)
    edit(path, MALFORMED[change])
    with pytest.raises(KeyringError):
        RegistryKeyring.load(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 60_000, b"{}"])
def test_what_is_no_key_file_is_refused(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyringError):
        RegistryKeyring.load(path)


def test_keys_are_never_written_over_anything(path: Path) -> None:
    made = MAKE["recovery"]()
    made.save(path)
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="never overwritten"):
        MAKE["recovery"]().save(path)
    dangling = path.with_name("dangling")
    dangling.symlink_to(path.with_name("nowhere"))
    with pytest.raises(KeyringError, match="never overwritten"):
        made.save(dangling)
    assert path.read_bytes() == before
    assert not path.with_name("nowhere").exists()


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
def test_a_failure_while_writing_leaves_nothing_behind(step: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(KeyringError, match="No space left"):
        MAKE["recovery"]().save(path)
    assert list(path.parent.iterdir()) == []


def test_a_missing_folder_is_named(path: Path) -> None:
    with pytest.raises(KeyringError, match="cannot be written: No such file"):
        MAKE["recovery"]().save(path.parent / "nowhere" / "keys.json")


def test_the_content_is_on_disk_before_the_file_has_its_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for step in ("fsync", "replace"):
        real = getattr(os, step)

        def noted(*args: Any, real: Any = real, step: str = step) -> None:
            order.append(step)
            real(*args)

        monkeypatch.setattr(os, step, noted)
    MAKE["recovery"]().save(path)
    assert order == ["fsync", "replace", "fsync"]
