"""Makes `merkle/inclusion.json` and `merkle/consistency.json`: proofs from the twin, and what each may not become.

Run as `python -m tests.vectors.make_merkle`. None of the product's code is used; the same files come out each time.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import merkle_twin as twin

FOLDER = Path(__file__).with_name("merkle")

LEAVES = [b"leaf %d" % number for number in range(70)]
INCLUSION = ((0, 1), (0, 2), (1, 3), (4, 5), (6, 13), (17, 70))
CONSISTENCY = ((1, 1), (1, 2), (2, 3), (3, 7), (4, 8), (31, 33))


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


def proof_mutations(proof: list[bytes], root: bytes) -> Iterator[tuple[str, list[bytes]]]:
    yield "a hash more", [*proof, root]
    yield "a hash more in front", [root, *proof]
    yield "an empty hash more", [*proof, b""]
    if proof:
        yield "first hash missing", proof[1:]
        yield "last hash missing", proof[:-1]
        yield "no hashes", []
        yield "first bit flipped", [flipped(proof[0], 255), *proof[1:]]
        yield "last bit flipped", [*proof[:-1], flipped(proof[-1], 0)]
        yield "a hash cut short", [proof[0][:-1], *proof[1:]]
        yield "a hash lengthened", [proof[0] + b"\x00", *proof[1:]]
    if len(proof) > 1:
        yield "first two swapped", [proof[1], proof[0], *proof[2:]]
        yield "two run together", [proof[0] + proof[1], *proof[2:]]


def inclusion(index: int, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    leaf, root = twin.mth(LEAVES[index : index + 1]), twin.mth(LEAVES[:size])
    good: dict[str, Any] = {
        "index": index,
        "size": size,
        "leaf_hash": leaf,
        "proof": twin.path(index, LEAVES[:size]),
        "root": root,
    }
    yield "holds", good
    for what, proof in proof_mutations(good["proof"], root):
        yield what, good | {"proof": proof}
    yield "another leaf", good | {"leaf_hash": flipped(leaf, 100)}
    yield "another root", good | {"root": flipped(root, 100)}
    yield "no leaf", good | {"leaf_hash": b""}
    yield "no root", good | {"root": b""}
    yield "leaf after the last", good | {"index": size}
    yield "leaf before the first", good | {"index": -1}
    yield "empty tree", good | {"index": 0, "size": 0}
    yield "twice the size", good | {"size": 2 * size}
    if size > 1:
        yield "its neighbour", good | {"index": index ^ 1 if index ^ 1 < size else index - 1}


def consistency(old_size: int, new_size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    old_root, new_root = twin.mth(LEAVES[:old_size]), twin.mth(LEAVES[:new_size])
    good: dict[str, Any] = {
        "old_size": old_size,
        "new_size": new_size,
        "old_root": old_root,
        "new_root": new_root,
        "proof": twin.proof(old_size, LEAVES[:new_size]),
    }
    yield "holds", good
    for what, proof in proof_mutations(good["proof"], new_root):
        yield what, good | {"proof": proof}
    yield "another old root", good | {"old_root": flipped(old_root, 100)}
    yield "another new root", good | {"new_root": flipped(new_root, 100)}
    yield "from the empty tree", good | {"old_size": 0}
    yield (
        "from the empty tree, with its root and no proof",
        good | {"old_size": 0, "old_root": twin.mth([]), "proof": []},
    )
    yield "from a negative size", good | {"old_size": -1}
    yield "twice the new size", good | {"new_size": 2 * new_size}
    if new_size > old_size:
        yield "backwards", good | {"old_size": new_size, "new_size": old_size}
        yield "roots swapped", good | {"old_root": new_root, "new_root": old_root}
        yield "a leaf less before", good | {"old_size": old_size - 1}


def written(cases: Iterator[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"case": what, "holds": what == "holds"} | hexed(case) for what, case in cases]


def hexed(case: dict[str, Any]) -> dict[str, Any]:
    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [item.hex() for item in value]
        return value.hex() if isinstance(value, bytes) else value

    return {name: one(value) for name, value in case.items()}


def files() -> dict[str, list[dict[str, Any]]]:
    return {
        "inclusion": [case for pair in INCLUSION for case in written(inclusion(*pair))],
        "consistency": [case for pair in CONSISTENCY for case in written(consistency(*pair))],
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, cases in files().items():
        lines = ",\n".join(json.dumps(case) for case in cases)
        (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
