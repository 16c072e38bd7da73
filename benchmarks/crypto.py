"""What hashing, proving and sealing cost: `scripts/benchmark crypto`.

Everything runs on one core, to which the process is bound where the system allows that. Times are medians of processor
time, so that waiting for a neighbour's work on that core does not count; what is compared with each other is run in
turns. A candidate's total is given in elapsed time too.
"""

import argparse
import ctypes
import hashlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from screening.crypto import ristretto, stretch, voprf
from screening.crypto.encoding import lp
from screening.crypto.sealing import SealingKey, seal
from screening.crypto.signing import SigningKey, Statement
from screening.crypto.stretch import DEFAULT
from screening.crypto.tokens import encode_feature, token

MAX_RATIO = 1.15
MAX_CANDIDATE_MS = 150.0
FEATURES = 24
"""Of the candidate that the target is for: one with many names and a full birth date."""
TYPICAL_FEATURES = 15
"""What a query has on average."""
PADDING = 8
"""To a multiple of this the elements of a request are filled up with random ones."""
EVALUATORS = 2
BATCHES = (1, 16, 32, 64)

Timed = Callable[[], object]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints a table, or one JSON object.

    Args:
        argv: Command line without the program's name.

    Returns:
        Exit status: 0, or 1 where a target is missed.
    """
    parser = argparse.ArgumentParser(prog="benchmark crypto", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rounds", type=int, default=200, help="how often each is timed")
    options = parser.parse_args(argv)
    began = time.perf_counter()
    found = measure(options.rounds)
    found["seconds"] = round(time.perf_counter() - began, 1)
    if options.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 0 if found["reached"] else 1


def measure(rounds: int) -> dict[str, Any]:
    """Takes all figures.

    Args:
        rounds: How often each thing is timed; what takes milliseconds, a tenth as often.

    Returns:
        Figures in microseconds (`_us`) and milliseconds (`_ms`), and whether the targets are reached.
    """
    one_core = _bind_to_one_core()
    ratio = _evaluation(rounds)
    candidate = _candidate(FEATURES, max(10, rounds // 10))
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "bound_to_one_core": one_core,
        "evaluation": ratio,
        "batches": {str(size): _batch(size, max(10, rounds // 4)) for size in BATCHES},
        "candidate": candidate,
        "typical_candidate": _candidate(TYPICAL_FEATURES, max(10, rounds // 10)),
        "guess": _guess(max(10, rounds // 4)),
        "sealing": _sealing(rounds),
        "signing": _signing(rounds),
        "targets": {"ratio": MAX_RATIO, "candidate_ms": MAX_CANDIDATE_MS},
        "reached": ratio["ratio"] <= MAX_RATIO and candidate["total_ms"] < MAX_CANDIDATE_MS,
    }


def _bind_to_one_core() -> bool:
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return True


def _medians(rounds: int, **timed: Timed) -> dict[str, float]:
    """The median of each in microseconds, all run in turns after one turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(rounds + 1):
        for name, function in timed.items():
            began = time.thread_time()
            function()
            if turn:
                times[name].append(time.thread_time() - began)
    return {name: statistics.median(taken) * 1e6 for name, taken in times.items()}


def _elements(number: int) -> list[bytes]:
    return [voprf.blind(index.to_bytes(4, "big")).element for index in range(number)]


def _evaluation(rounds: int) -> dict[str, float]:
    """A candidate's evaluation without the proof, beside a loop that does nothing but call libsodium."""
    share, elements = ristretto.random_scalar(), _elements(FEATURES)
    multiply, out = ristretto._scalarmult, ctypes.create_string_buffer(32)

    def bare() -> None:
        for element in elements:
            multiply(out, share, element)

    taken = _medians(rounds * 5, bare=bare, ours=lambda: ristretto.scalarmult_each(share, elements))
    return {
        "bare_us_per_element": round(taken["bare"] / FEATURES, 2),
        "us_per_element": round(taken["ours"] / FEATURES, 2),
        "ratio": round(taken["ours"] / taken["bare"], 3),
    }


def _batch(size: int, rounds: int) -> dict[str, int]:
    share, public = voprf.generate_share()
    sent = _elements(size)
    answer = voprf.evaluate(share, public, sent)
    taken = _medians(
        rounds,
        evaluate_us=lambda: ristretto.scalarmult_each(share, sent),
        prove_us=lambda: voprf.prove(share, public, sent, answer.elements),
        verify_us=lambda: voprf.verify(public, sent, answer),
    )
    with_proof = taken["evaluate_us"] + taken["prove_us"]
    return {name: round(value) for name, value in taken.items()} | {"batches_per_second": round(1e6 / with_proof)}


def _candidate(number_of_features: int, rounds: int) -> dict[str, float]:
    """All that happens for one candidate, at the client and at both evaluators, one after the other."""
    shares = [voprf.generate_share() for _ in range(EVALUATORS)]
    salt = stretch.salt("benchmark", 1)
    times: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        features = [encode_feature(1, "rule", f"{number} {index}") for index in range(number_of_features)]
        clock = _Clock()
        inputs = stretch.stretch(features, DEFAULT, salt, threads=1)
        clock.lap("stretch_ms")
        blinded = [voprf.blind(text) for text in inputs]
        sent = [one.element for one in blinded]
        sent += [ristretto.scalarmult_base(ristretto.random_scalar()) for _ in range(-len(sent) % PADDING)]
        clock.lap("blind_ms")
        answers = [voprf.evaluate(share, public, sent) for share, public in shares]
        clock.lap("evaluators_ms")
        for (_, public), answer in zip(shares, answers, strict=True):
            voprf.verify(public, sent, answer)
        clock.lap("verify_ms")
        combined = voprf.combine([answer.elements for answer in answers])
        clock.lap("combine_ms")
        tokens = [
            token(voprf.finalize(text, one.blind, element))
            for text, one, element in zip(inputs, blinded, combined, strict=False)
        ]
        clock.lap("finalize_ms")
        clock.end()
        if number:
            clock.add_to(times)
    key = ristretto.scalar_add(shares[0][0], shares[1][0])
    assert tokens == [_token_with_all_shares(key, text) for text in inputs], "both ways must give the same tokens"
    return {name: round(statistics.median(taken), 2) for name, taken in times.items()}


class _Clock:
    """Laps of one round, in milliseconds."""

    def __init__(self) -> None:
        self._laps: dict[str, float] = {}
        self._elapsed = time.perf_counter()
        self._began = self._last = time.thread_time()

    def lap(self, name: str) -> None:
        now = time.thread_time()
        self._laps[name], self._last = (now - self._last) * 1e3, now

    def end(self) -> None:
        self._laps["total_ms"] = (self._last - self._began) * 1e3
        self._laps["elapsed_ms"] = (time.perf_counter() - self._elapsed) * 1e3

    def add_to(self, times: dict[str, list[float]]) -> None:
        for name, taken in self._laps.items():
            times.setdefault(name, []).append(taken)


def _token_with_all_shares(key: bytes, text: bytes) -> bytes:
    """What whoever holds all shares computes for a guess: no blinding, no proof."""
    element = ristretto.from_hash(voprf._expand(text, b"HashToGroup-" + voprf._context(voprf.Mode.VOPRF)))
    return token(hashlib.sha512(lp(text, ristretto.scalarmult(key, element)) + b"Finalize").digest())


def _guess(rounds: int) -> dict[str, float]:
    """One guess at a name and a birth date: offline with all shares, and, for comparison, one plain hash."""
    key, salt = ristretto.random_scalar(), stretch.salt("benchmark", 1)
    feature = encode_feature(1, "rule", "a name 1970-01-01")

    def guess() -> bytes:
        return _token_with_all_shares(key, stretch.stretch([feature], DEFAULT, salt, threads=1)[0])

    taken = _medians(
        rounds,
        guess=guess,
        without_stretching=lambda: _token_with_all_shares(key, feature),
        sha256=lambda: hashlib.sha256(feature).digest(),
    )
    return {
        "us": round(taken["guess"]),
        "without_stretching_us": round(taken["without_stretching"], 1),
        "sha256_us": round(taken["sha256"], 2),
        "per_second_and_core": round(1e6 / taken["guess"]),
        "core_days_for_1e9": round(1e9 * taken["guess"] / 1e6 / 86_400, 1),
    }


def _sealing(rounds: int) -> dict[str, float]:
    key, content = SealingKey.generate(), bytes(1000)
    purpose: dict[str, Any] = {"label": "dossier", "registry": "benchmark", "object_id": "1", "version": 1}
    box = seal(key.public_bytes, content, **purpose)
    taken = _medians(
        rounds,
        generate_us=SealingKey.generate,
        seal_us=lambda: seal(key.public_bytes, content, **purpose),
        open_us=lambda: key.open(box, **purpose),
    )
    figures: dict[str, float] = {name: round(value) for name, value in taken.items()}
    return figures | {"content_bytes": len(content), "box_bytes": len(box)}


def _signing(rounds: int) -> dict[str, float]:
    key, message = SigningKey.generate(), bytes(200)
    verifying, signature = key.verifying_key, key.sign(message)
    elements = [element.hex() for element in _elements(FEATURES)]
    unsigned = Statement.of({"type": "evaluation-request", "elements": elements})
    statement = unsigned.sign("organisation", key)
    taken = _medians(
        rounds,
        sign_us=lambda: key.sign(message),
        verify_us=lambda: verifying.verify(signature, message),
        sign_statement_us=lambda: unsigned.sign("organisation", key),
        verify_statement_us=lambda: statement.verify("organisation", verifying),
    )
    return {name: round(value) for name, value in taken.items()}


def _print(found: dict[str, Any]) -> None:
    bound = "one core" if found["bound_to_one_core"] else "not bound to one core"
    print(f"CPython {found['python']}, {found['machine']}, {bound}; medians\n")
    evaluation, candidate, guess = found["evaluation"], found["candidate"], found["guess"]
    print(
        f"evaluation    {evaluation['us_per_element']} µs an element, libsodium alone "
        f"{evaluation['bare_us_per_element']} µs: ratio {evaluation['ratio']} (at most {MAX_RATIO})\n"
    )
    print("batch   evaluate µs   prove µs   verify µs   batches/s with proof")
    for size, row in found["batches"].items():
        print(
            f"{size:>5} {row['evaluate_us']:>13} {row['prove_us']:>10} {row['verify_us']:>11}"
            f" {row['batches_per_second']:>22}"
        )
    print(f"\none candidate, {EVALUATORS} evaluators, everything on one core: ms")
    print(f"  {'features':<12} {FEATURES:>8} {TYPICAL_FEATURES:>8}")
    for name, taken in candidate.items():
        limit = f"   (below {MAX_CANDIDATE_MS:.0f} for {FEATURES})" if name == "total_ms" else ""
        print(f"  {name.removesuffix('_ms'):<12} {taken:>8} {found['typical_candidate'][name]:>8}{limit}")
    print(
        f"\na guess with all shares: {guess['us']} µs ({guess['without_stretching_us']} without stretching, SHA-256"
        f" alone {guess['sha256_us']}); {guess['per_second_and_core']} a second and core,"
        f" {guess['core_days_for_1e9']} core-days for 10^9"
    )
    sealing, signing = found["sealing"], found["signing"]
    print(
        f"HPKE, {sealing['content_bytes']} bytes: seal {sealing['seal_us']} µs, open {sealing['open_us']} µs,"
        f" new key {sealing['generate_us']} µs, box {sealing['box_bytes']} bytes"
    )
    print(
        f"Ed25519, 200 bytes: sign {signing['sign_us']} µs, verify {signing['verify_us']} µs; statement of"
        f" {FEATURES} elements: sign {signing['sign_statement_us']} µs, verify {signing['verify_statement_us']} µs"
    )
    print(f"\n{'targets reached' if found['reached'] else 'TARGET MISSED'}; {found['seconds']} s")


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
