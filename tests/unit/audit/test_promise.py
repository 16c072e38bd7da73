"""A promise holds for one event, of one log, under one key."""

import copy
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.promise import PromiseError, make_promise, verify_promise
from screening.crypto.signing import SigningKey

ORIGIN = "log.example/registry"
LOG = SigningKey.from_bytes(b"\x07" * 32)
EVENT = uuid.UUID("01935000-0000-7000-8000-000000000001")
LEAF = bytes(range(32))
TIME = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)


def promise() -> dict[str, Any]:
    return make_promise(LOG.sign, key=LOG.key_id, origin=ORIGIN, event_id=EVENT, leaf_hash=LEAF, time=TIME)


def verify(made: object, *, origin: str = ORIGIN, public_key: bytes = LOG.public_bytes) -> Any:
    return verify_promise(made, origin=origin, public_key=public_key)


def test_a_promise_says_which_event_and_by_when() -> None:
    verified = verify(promise())
    assert (verified.origin, verified.event, verified.leaf_hash, verified.time) == (ORIGIN, EVENT, LEAF, TIME)
    assert verified.integrate_by == TIME + timedelta(seconds=60)


def test_a_promise_of_another_log_is_refused() -> None:
    with pytest.raises(PromiseError, match="another log"):
        verify(promise(), origin="log.example/other")


def test_a_promise_under_another_key_is_refused() -> None:
    with pytest.raises(PromiseError):
        verify(promise(), public_key=SigningKey.from_bytes(b"\x08" * 32).public_bytes)


def test_a_promise_signed_by_another_key_under_the_logs_name_is_refused() -> None:
    other = SigningKey.from_bytes(b"\x08" * 32)
    forged = make_promise(other.sign, key=LOG.key_id, origin=ORIGIN, event_id=EVENT, leaf_hash=LEAF, time=TIME)
    with pytest.raises(PromiseError, match="did not sign"):
        verify(forged)


def _body(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda made: made["body"].update(changes)


def _signature(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda made: made["signatures"][0].update(changes)


MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another event": _body(event="01935000-0000-7000-8000-000000000002"),
    "another leaf": _body(leaf="00" * 32),
    "a short leaf": _body(leaf="00" * 31),
    "a leaf in capitals": _body(leaf=LEAF.hex().upper()),
    "a leaf that is no hex": _body(leaf="x" * 64),
    "a later time": _body(time="2026-11-20T14:02:12Z"),
    "more time": _body(integrate_by="2026-11-20T15:02:11Z"),
    "another type": _body(type="receipt"),
    "an event that is no id": _body(event=5),
    "an origin that is no text": _body(origin=None),
    "a field more": _body(more=1),
    "a field less": lambda made: made["body"].pop("time"),
    "no body": lambda made: made.pop("body"),
    "no signature": lambda made: made["signatures"].clear(),
    "two signatures": lambda made: made["signatures"].append(made["signatures"][0]),
    "signatures that are none": lambda made: made.update(signatures={}),
    "a signature that is none": lambda made: made.update(signatures=["x"]),
    "another signer": _signature(signer="registry"),
    "another key": _signature(key="0" * 32),
    "a short signature": _signature(signature="AAAA"),
    "a signature that is no text": _signature(signature=None),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_a_changed_promise_is_refused(mutate: Callable[[dict[str, Any]], object]) -> None:
    made = copy.deepcopy(promise())
    mutate(made)
    with pytest.raises(PromiseError):
        verify(made)


@pytest.mark.parametrize("made", [None, [], "promise", {}, {"body": {}, "signatures": []}])
def test_what_is_no_promise_is_refused(made: object) -> None:
    with pytest.raises(PromiseError):
        verify(made)
