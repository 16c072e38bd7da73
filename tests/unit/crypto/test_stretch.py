"""Argon2id against an independent implementation; order, repetitions and cores make no difference."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2.low_level
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.crypto.errors import EncodingError, StretchError
from screening.crypto.stretch import DEFAULT, StretchParameters, salt, stretch

CHEAP = StretchParameters(memory_kib=8, iterations=1, parallelism=1, length=32)
SALT = bytes(range(16))


def twin(feature: bytes, parameters: StretchParameters, salt: bytes) -> bytes:
    return Argon2id(
        salt=salt,
        length=parameters.length,
        iterations=parameters.iterations,
        lanes=parameters.parallelism,
        memory_cost=parameters.memory_kib,
    ).derive(feature)


def test_the_independent_implementation_gives_the_rfc_s_answer() -> None:
    """RFC 9106 §5.3."""
    tag = Argon2id(
        salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
    ).derive(b"\x01" * 32)
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


@settings(max_examples=30)
@given(
    st.binary(min_size=1, max_size=60),
    st.binary(min_size=16, max_size=16),
    st.integers(8, 64),
    st.integers(1, 3),
    st.integers(16, 64),
)
def test_results_agree_with_the_independent_implementation(
    feature: bytes, salt: bytes, memory: int, iterations: int, length: int
) -> None:
    parameters = StretchParameters(memory_kib=memory, iterations=iterations, parallelism=1, length=length)
    assert stretch([feature], parameters, salt) == [twin(feature, parameters, salt)]


def test_the_real_parameters_give_their_known_answer() -> None:
    """Pinned: another answer would be a silent miss in every registry."""
    assert DEFAULT.to_json() == {
        "algorithm": "argon2id",
        "memory_kib": 8192,
        "iterations": 1,
        "parallelism": 1,
        "length": 32,
    }
    feature = b"\x00\x13screening/1/feature\x00\x01\x00\x02A1\x00\x03abc"
    result = stretch([feature], DEFAULT, SALT)[0]
    assert result == twin(feature, DEFAULT, SALT)
    assert result.hex() == "c2209390307630be8807e75f9480dcf7a7ffd74dca4b256adeea0ff9b8d08d55"


def test_lanes_are_used() -> None:
    parameters = StretchParameters(memory_kib=64, iterations=1, parallelism=4, length=32)
    assert stretch([b"x"], parameters, SALT) == [twin(b"x", parameters, SALT)]


def test_the_salt_is_the_documented_hash() -> None:
    expected = hashlib.sha256(b"\x00\x10screening/1/salt\x00\x04demo\x00\x00\x00\x07").digest()[:16]
    assert salt("demo", 7) == expected
    assert len({salt("demo", 7), salt("demo", 8), salt("dem", 7)}) == 3


@pytest.mark.parametrize("epoch", [0, -1, 1 << 32, 1.0, True, "1"])
def test_an_epoch_out_of_bounds_is_refused(epoch: Any) -> None:
    with pytest.raises(EncodingError):
        salt("demo", epoch)


@given(st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=8), st.integers(1, 4))
def test_order_is_kept_for_any_number_of_threads(features: list[bytes], threads: int) -> None:
    expected = [stretch([feature], CHEAP, SALT)[0] for feature in features]
    assert stretch(features, CHEAP, SALT, threads=threads) == expected
    assert stretch(features, CHEAP, SALT) == expected


def test_a_repeated_feature_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    real = argon2.low_level.hash_secret_raw

    def counting(secret: bytes, *args: Any, **kwargs: Any) -> bytes:
        seen.append(secret)
        result: bytes = real(secret, *args, **kwargs)
        return result

    monkeypatch.setattr(argon2.low_level, "hash_secret_raw", counting)
    results = stretch([b"a", b"b", b"a", b"a"], CHEAP, SALT, threads=2)
    assert sorted(seen) == [b"a", b"b"]
    assert results[0] == results[2] == results[3] != results[1]


def test_features_are_stretched_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that wait for each other both finish only if both run at once."""
    meeting = threading.Barrier(2, timeout=10)

    def waiting(secret: bytes, *args: Any, **kwargs: Any) -> bytes:
        meeting.wait()
        return secret

    monkeypatch.setattr(argon2.low_level, "hash_secret_raw", waiting)
    assert stretch([b"a", b"b"], CHEAP, SALT, threads=2) == [b"a", b"b"]


def test_argon2_runs_outside_the_interpreter_s_lock() -> None:
    """While one thread is inside one call of about a second, this one goes on."""
    slow = StretchParameters(memory_kib=32 * 1024, iterations=40, parallelism=1, length=32)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(stretch, [b"x"], slow, SALT)
        steps = 0
        while not running.done():
            steps += 1
    assert steps > 1000


def test_nothing_is_stretched_to_nothing() -> None:
    assert stretch([], CHEAP, SALT) == []


@pytest.mark.parametrize("length", [0, 8, 15, 17])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(StretchError):
        stretch([b"x"], CHEAP, bytes(length))


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(StretchError):
        stretch([b"x"], CHEAP, SALT, threads=0)


@pytest.mark.parametrize(
    "change",
    [
        {"memory_kib": 7},
        {"memory_kib": 4 * 1024 * 1024 + 1},
        {"memory_kib": 31, "parallelism": 4},
        {"iterations": 0},
        {"iterations": True},
        {"iterations": "1"},
        {"parallelism": 0},
        {"length": 15},
        {"length": 65},
        {"length": 32.0},
        {"length": None},
        {"algorithm": "argon2i"},
        {"algorithm": None},
        {"more": 1},
    ],
)
def test_parameters_that_argon2id_does_not_take_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(StretchError):
        StretchParameters.from_json({**CHEAP.to_json(), **change})


@pytest.mark.parametrize("value", [None, [], {}, {"algorithm": "argon2id"}])
def test_parameters_of_another_shape_are_refused(value: object) -> None:
    with pytest.raises(StretchError):
        StretchParameters.from_json(value)


def test_parameters_survive_the_round_trip() -> None:
    assert StretchParameters.from_json(DEFAULT.to_json()) == DEFAULT


@pytest.mark.parametrize(
    ("change", "weaker"),
    [
        ({}, False),
        ({"memory_kib": 8191}, True),
        ({"memory_kib": 9000}, False),
        ({"iterations": 2}, False),
        ({"length": 31}, True),
        ({"length": 64, "memory_kib": 4096}, True),
        ({"parallelism": 2}, False),
    ],
)
def test_weaker_parameters_are_recognised(change: dict[str, int], weaker: bool) -> None:
    values = {"memory_kib": 8192, "iterations": 1, "parallelism": 1, "length": 32, **change}
    assert StretchParameters(**values).is_weaker_than(DEFAULT) is weaker


def test_iterations_below_the_other_s_are_weaker() -> None:
    twice = StretchParameters(memory_kib=8192, iterations=2, parallelism=1, length=32)
    assert DEFAULT.is_weaker_than(twice)
