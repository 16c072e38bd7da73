"""What a screening costs the registry as its records grow: `scripts/benchmark screening`.

For each database a consortium with 1,000 records, one with 10,000 and one with 100,000 run side by side: a registry
of one worker process, a keyholder, and SQLite or a PostgreSQL that flushes like one in production. One client asks
them in turns, so that what else the machine does meets all alike. A screening is an evaluation of 16 elements and the
look-up of 15 tokens; every tenth asks for somebody who is on record, and the answer is checked. Nothing else is
simulated: only the records were written past the product, as it would have written them (`benchmarks/_bulk.py`).
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.engine import make_url

from benchmarks._asking import (
    ELEMENTS,
    ENTRIES,
    Asker,
    Elapsed,
    cpu_seconds,
    curve_microseconds,
    resident_mib,
    tree,
    worker,
)
from benchmarks._bulk import Filled, fill, open_database
from screening.cli.consortium import Consortium, Member
from screening.identity import Identity
from tests.databases import KINDS, Databases, Kind, PostgresServer
from tests.populated import free_ports

MAX_CPU_MS: Final = 10.0
"""Of the registry's process, for one screening, with the most records."""
MAX_RATIO: Final = 1.3
"""Of processor time, registry and database, with the most records to that with the fewest."""
TURN: Final = 10
"""Screenings of one consortium before it is the next one's turn."""
WARM_UP_TURNS: Final = 3

SUBMITTER, APPROVER, RECRUITER = (f"{name}@one.example" for name in ("submitter", "approver", "recruiter"))
REGISTRAR = "registrar@registry.example"
MEMBER = Member(
    "One",
    {
        SUBMITTER: ("Staff One", ("entity_admin",)),
        APPROVER: ("Staff Two", ("entity_admin",)),
        RECRUITER: ("Staff Three", ("recruiter",)),
    },
    budget=1_000_000,
)
PERSON = {
    "given": "Salahuddin Omar",
    "family": "Abd al-Rahman",
    "aliases": ["Salah Abdurrahman"],
    "former": ["Omar Salahuddin"],
    "original": ["صلاح الدين عبد الرحمن"],
    "dob": "1970-04-12",
    "nationalities": ["JO"],
    "documents": [{"type": "passport", "number": "Q1234567", "issuer": "JO"}],
}
POSTGRESQL_SETTINGS: Final = {"max_connections": "60"}
"""The rest is PostgreSQL's own: it flushes before it says that something is committed."""


@dataclass
class Side:
    """A consortium with a number of records, and what its screenings cost.

    Attributes:
        consortium: Running.
        filled: What its database holds.
        asker: Its client.
        worker: Process id of the registry's worker.
        database: Its PostgreSQL database's name; None on SQLite.
        elapsed: Of each screening.
        registry: The worker's processor seconds for a screening, one figure a turn.
        backends: The database's, likewise.
    """

    consortium: Consortium
    filled: Filled
    asker: Asker
    worker: int
    database: str | None
    elapsed: list[Elapsed] = field(default_factory=list)
    registry: list[float] = field(default_factory=list)
    backends: list[float] = field(default_factory=list)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints a table, or one JSON object.

    Args:
        argv: Command line without the program's name.

    Returns:
        Exit status: 0, or 1 where a target is missed.
    """
    parser = argparse.ArgumentParser(prog="benchmark screening", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--records", type=_numbers, default=[1_000, 10_000, 100_000], metavar="N,N", help="sizes")
    parser.add_argument("--requests", type=int, default=600, metavar="N", help="screenings at each size")
    parser.add_argument("--database", choices=KINDS, action="append", help="only this one")
    options = parser.parse_args(argv)
    began = time.perf_counter()
    found = measure(options.records, options.requests, options.database or KINDS)
    found["seconds"] = round(time.perf_counter() - began, 1)
    if options.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 0 if found["reached"] else 1


def _numbers(text: str) -> list[int]:
    return sorted(int(part.replace("_", "")) for part in text.split(","))


def measure(sizes: Sequence[int], requests: int, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Takes all figures.

    Args:
        sizes: Numbers of records, growing.
        requests: Screenings at each size.
        kinds: Databases.
    """
    databases = {kind: _measure_database(kind, sizes, max(1, requests // TURN)) for kind in kinds}
    return {
        "benchmark": "screening",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "elements": ELEMENTS,
        "entries": ENTRIES,
        "databases": databases,
        "targets": {"registry_cpu_ms": MAX_CPU_MS, "cpu_ratio": MAX_RATIO},
        "reached": all(found["reached"] for found in databases.values()),
    }


def _measure_database(kind: Kind, sizes: Sequence[int], turns: int) -> dict[str, Any]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="screening-benchmark-")))
        server = stack.enter_context(_postgresql()) if kind == "postgresql" else None
        databases = Databases(directory, lambda: server.url() if server else "")
        sides = [_side(stack, directory / str(size), databases.fresh(kind), size) for size in sizes]
        _say(f"{kind}: asking")
        os.sync()  # what was written in bulk must not be on its way to the disk while others wait for it
        for turn in range(-WARM_UP_TURNS, turns):
            for side in sides:
                _take_turn(side, turn, server)
        multiplication = curve_microseconds()
        figures = [_figures(side) for side in sides]
        few, many = figures[0]["cpu_ms"], figures[-1]["cpu_ms"]
        ratio = round(many["both"] / few["both"], 3)
        return {
            "sizes": figures,
            "curve_multiplication_us": multiplication,
            "cpu_ratio": ratio,
            "elapsed_ratio": round(figures[-1]["elapsed_ms"]["p50"] / figures[0]["elapsed_ms"]["p50"], 3),
            "resident_mib": _memory(sides[-1], server),
            "reached": many["registry"] < MAX_CPU_MS and ratio <= MAX_RATIO,
        }


@contextmanager
def _postgresql() -> Iterator[PostgresServer]:
    server = PostgresServer(POSTGRESQL_SETTINGS)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _side(stack: ExitStack, directory: Path, url: str, size: int) -> Side:
    """Sets a consortium up, enters one record through it, fills its database, and starts it again."""
    _say(f"{make_url(url).get_backend_name()}: writing {size:,} records")
    ports = free_ports(2)
    consortium = stack.enter_context(
        Consortium(directory, registry_port=ports[0], keyholder_port=ports[1], database_url=url)
    )
    consortium.build([MEMBER])
    expires_on = datetime.now(UTC).date() + timedelta(days=1000)
    with consortium.client(SUBMITTER) as one, consortium.client(APPROVER) as two:
        person = Identity.from_dict(PERSON)
        record = one.records.add(person, category="SEA", basis="determination", expires_on=expires_on)
        two.records.approve(record.id)
    client = stack.enter_context(consortium.client(RECRUITER))
    with consortium.client(REGISTRAR) as registrar:
        registrar.organisations.set_policy("screening_candidates_per_person_per_day", 100_000)
        registrar.organisations.set_policy("screening_candidates_per_organisation_per_day", 100_000)
        registrar.organisations.set_policy("evaluation_elements_per_organisation_per_day", 2_000_000)
    consortium.stop()
    with open_database(url) as database:
        filled = fill(database, size)
    consortium.start()
    asker = Asker(consortium, client, filled.known)
    stack.callback(asker.close)
    name = make_url(url).database if url.startswith("postgresql") else None
    return Side(consortium, filled, asker, worker(consortium, "registry"), name)


def _take_turn(side: Side, turn: int, server: PostgresServer | None) -> None:
    """Screens some candidates, the last of whom is on record. Negative turns warm up and do not count."""
    backends = _backends(server, side.database)
    began = cpu_seconds([side.worker]), cpu_seconds(backends)
    elapsed = [side.asker.screen(turn, known=place == TURN - 1) for place in range(TURN)]
    if turn >= 0:
        side.elapsed += elapsed
        side.registry.append((cpu_seconds([side.worker]) - began[0]) / TURN)
        side.backends.append((cpu_seconds(backends) - began[1]) / TURN)


def _backends(server: PostgresServer | None, database: str | None) -> list[int]:
    """PostgreSQL's processes that serve a registry."""
    if server is None:
        return []
    with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        return [row[0] for row in connection.execute(query, (database,))]


# --- report ------------------------------------------------------------------------------------------------------


def _figures(side: Side) -> dict[str, Any]:
    registry, backends = statistics.median(side.registry) * 1000, statistics.median(side.backends) * 1000
    both = statistics.median(map(sum, zip(side.registry, side.backends, strict=True))) * 1000
    filled = side.filled
    return {
        "records": filled.records,
        "tokens": filled.tokens,
        "bytes_a_record": round(filled.bytes / filled.records),
        "elapsed_ms": _percentiles([one.both for one in side.elapsed]),
        "evaluation_ms": _percentiles([one.evaluation for one in side.elapsed]),
        "screening_ms": _percentiles([one.screening for one in side.elapsed]),
        "cpu_ms": {"registry": round(registry, 2), "database": round(backends, 2), "both": round(both, 2)},
    }


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 2), "p99": round(cuts[98] * 1000, 2)}


def _memory(side: Side, server: PostgresServer | None) -> dict[str, Any]:
    """Of every process of the consortium with the most records, and PostgreSQL's, each with what they share."""
    found: dict[str, Any] = {}
    for service, pid in side.consortium.processes().items():
        found[service], found[f"{service} worker"] = resident_mib(pid), resident_mib(worker(side.consortium, service))
    if server is not None:
        backends = _backends(server, side.database)
        others = [pid for pid in tree(server.pid) if pid not in backends]
        found["postgresql backends"] = [resident_mib(pid) for pid in backends]
        found["postgresql others"] = [resident_mib(pid) for pid in others]
    return found


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _print(found: dict[str, Any]) -> None:
    print(f"One screening: {found['elements']} elements evaluated, {found['entries']} tokens looked up. Milliseconds.")
    print(f"{found['cores']} cores, load {found['load_average']}, Python {found['python']}")
    heads = ("p50", "p99", "evaluate", "screen", "CPU registry", "database", "both", "bytes a record")
    for kind, database in found["databases"].items():
        print(f"\n{kind:<12}{'records':>10}" + "".join(f"{head:>15}" for head in heads))
        for size in database["sizes"]:
            cpu = size["cpu_ms"]
            cells = [size["elapsed_ms"]["p50"], size["elapsed_ms"]["p99"]]
            cells += [size["evaluation_ms"]["p50"], size["screening_ms"]["p50"]]
            cells += [cpu["registry"], cpu["database"], cpu["both"], size["bytes_a_record"]]
            print(f"{'':<12}{size['records']:>10,}" + "".join(f"{cell:>15,}" for cell in cells))
        print(f"a multiplication on the curve takes {database['curve_multiplication_us']} microseconds at present")
        print(f"most records to fewest: processor time {database['cpu_ratio']}, elapsed {database['elapsed_ratio']}")
        for process, mib in database["resident_mib"].items():
            print(f"  {process:<20} {mib} MiB")
    targets = found["targets"]
    print(f"\ntargets: registry below {targets['registry_cpu_ms']} ms, ratio at most {targets['cpu_ratio']}")
    print(f"{found['seconds']} s; targets {'reached' if found['reached'] else 'MISSED'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
