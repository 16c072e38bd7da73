"""The tree and its proofs against published vectors, against generated ones, and against the slow twin."""

import base64
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from tests.vectors import make_merkle
from tests.vectors import merkle_twin as twin

HERE = Path(__file__).parent
PUBLISHED: dict[str, list[dict[str, Any]]] = json.loads((HERE / "merkle_transparency_dev.json").read_text())
MADE = {kind: json.loads((HERE / "merkle" / f"{kind}.json").read_text()) for kind in ("inclusion", "consistency")}

# Leaves and roots of the tree from which the published proofs are made: the reference data of RFC 6962's own first
# implementation, repeated in transparency-dev/merkle testonly/constants.go.
REFERENCE_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Stored:
    """A tree that keeps every complete subtree, as a database would."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.edge = merkle.CompactRange()
        self.roots = [self.edge.root()]
        self._hashes: dict[tuple[int, int], bytes] = {}
        for leaf in leaves:
            for subtree in self.edge.append(merkle.leaf_hash(leaf)):
                assert self._hashes.setdefault((subtree.level, subtree.index), subtree.hash) is subtree.hash
            self.roots.append(self.edge.root())

    def subtree_hash(self, level: int, index: int) -> bytes:
        return self._hashes[level, index]


def included(**case: Any) -> bool:
    """Whether the product accepts; the twin must say the same."""
    try:
        merkle.verify_inclusion(**case)
    except merkle.InclusionError:
        accepted = False
    else:
        accepted = True
    try:
        twin.check_path(case["index"], case["size"], case["leaf_hash"], case["proof"], case["root"])
    except twin.RefusedError:
        assert not accepted
    else:
        assert accepted
    return accepted


def consistent(**case: Any) -> bool:
    """Whether the product accepts; the twin must say the same."""
    try:
        merkle.verify_consistency(**case)
    except merkle.ConsistencyError:
        accepted = False
    else:
        accepted = True
    try:
        twin.check_proof(case["old_size"], case["new_size"], case["old_root"], case["new_root"], case["proof"])
    except twin.RefusedError:
        assert not accepted
    else:
        assert accepted
    return accepted


# --- known answers -----------------------------------------------------------------------------------------------


def test_the_published_cases_are_complete() -> None:
    cases = [(kind, case["wantErr"]) for kind, cases in PUBLISHED.items() for case in cases]
    assert Counter(cases) == {
        ("inclusion", True): 92,
        ("inclusion", False): 6,
        ("consistency", True): 92,
        ("consistency", False): 6,
    }
    assert len(cases) == len({case["case"] for cases in PUBLISHED.values() for case in cases}) == 196


@pytest.mark.parametrize("case", PUBLISHED["inclusion"], ids=lambda case: case["case"])
def test_a_published_inclusion_proof_is_judged_as_published(case: dict[str, Any]) -> None:
    accepted = included(
        index=case["leafIdx"],
        size=case["treeSize"],
        leaf_hash=base64.b64decode(case["leafHash"]),
        proof=[base64.b64decode(one) for one in case["proof"]],
        root=base64.b64decode(case["root"]),
    )
    assert accepted is not case["wantErr"]


@pytest.mark.parametrize("case", PUBLISHED["consistency"], ids=lambda case: case["case"])
def test_a_published_consistency_proof_is_judged_as_published(case: dict[str, Any]) -> None:
    accepted = consistent(
        old_size=case["size1"],
        new_size=case["size2"],
        old_root=base64.b64decode(case["root1"]),
        new_root=base64.b64decode(case["root2"]),
        proof=[base64.b64decode(one) for one in case["proof"]],
    )
    assert accepted is not case["wantErr"]


def test_the_reference_tree_has_the_published_roots() -> None:
    assert [root.hex() for root in Stored(REFERENCE_LEAVES).roots] == REFERENCE_ROOTS
    assert [twin.mth(REFERENCE_LEAVES[:size]).hex() for size in range(9)] == REFERENCE_ROOTS


def unhexed(case: dict[str, Any]) -> dict[str, Any]:
    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [bytes.fromhex(item) for item in value]
        return bytes.fromhex(value) if isinstance(value, str) else value

    return {name: one(value) for name, value in case.items() if name not in ("case", "holds")}


def test_the_generated_files_are_what_their_generator_makes() -> None:
    assert make_merkle.files() == MADE


def test_each_generated_proof_holds_and_none_of_its_mutations_does() -> None:
    for kind, judge in (("inclusion", included), ("consistency", consistent)):
        judged = [(case, judge(**unhexed(case))) for case in MADE[kind]]
        assert [case for case, accepted in judged if accepted is not case["holds"]] == []
        assert sum(accepted for _, accepted in judged) == 6
        assert len(judged) > 90


# --- against the twin --------------------------------------------------------------------------------------------


def check_tree(leaves: list[bytes], pairs: list[tuple[int, int]]) -> None:
    """Roots and proofs between the sizes of each pair: the twin's, and accepted."""
    tree = Stored(leaves)
    for old, new in pairs:
        root, old_root = twin.mth(leaves[:new]), twin.mth(leaves[:old])
        assert tree.roots[new] == merkle.read_root(tree, new) == root
        assert tree.roots[old] == merkle.read_root(tree, old) == old_root
        index = old - 1
        path = merkle.prove_inclusion(tree, index=index, size=new)
        assert path == twin.path(index, leaves[:new])
        assert included(index=index, size=new, leaf_hash=merkle.leaf_hash(leaves[index]), proof=path, root=root)
        proof = merkle.prove_consistency(tree, old_size=old, new_size=new)
        assert proof == twin.proof(old, leaves[:new])
        assert consistent(old_size=old, new_size=new, old_root=old_root, new_root=root, proof=proof)


def test_every_proof_in_every_small_tree_agrees_with_the_twin() -> None:
    leaves = [b"%d" % number for number in range(24)]
    check_tree(leaves, [(old, new) for new in range(1, 25) for old in range(1, new + 1)])


def test_proofs_in_random_trees_agree_with_the_twin() -> None:
    random_numbers = random.Random(9162)
    for _ in range(4):
        leaves = [
            random_numbers.randbytes(random_numbers.randrange(60)) for _ in range(random_numbers.randint(1, 2000))
        ]
        sizes = [random_numbers.randint(1, len(leaves)) for _ in range(4)]
        check_tree(leaves, [(random_numbers.randint(1, new), new) for new in (*sizes, len(leaves))])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_proofs_in_many_random_trees_agree_with_the_twin(seed: int) -> None:
    random_numbers = random.Random(seed)
    leaves = [random_numbers.randbytes(random_numbers.randrange(60)) for _ in range(2000)]
    check_tree(leaves, [(random_numbers.randint(1, new), new) for new in range(1, 2001)])


HASHES = st.binary(min_size=32, max_size=32)


@given(index=st.integers(-2, 70), size=st.integers(-2, 70), proof=st.lists(HASHES, max_size=8), leaf=HASHES)
def test_product_and_twin_judge_any_path_alike(index: int, size: int, proof: list[bytes], leaf: bytes) -> None:
    try:
        root = twin.root_of_path(index, size, leaf, proof) if 0 <= index < size else leaf
    except twin.RefusedError:
        root = leaf
        assert not included(index=index, size=size, leaf_hash=leaf, proof=proof, root=root)
    else:
        assert included(index=index, size=size, leaf_hash=leaf, proof=proof, root=root) is (0 <= index < size)


@given(old=st.integers(-2, 70), new=st.integers(-2, 70), proof=st.lists(HASHES, max_size=8), first=HASHES)
def test_product_and_twin_judge_any_consistency_proof_alike(
    old: int, new: int, proof: list[bytes], first: bytes
) -> None:
    possible = 0 < old <= new
    try:
        roots = twin.roots_of_proof(old, new, first, proof, known=True) if possible else (first, first)
    except twin.RefusedError:
        possible, roots = False, (first, first)
    assert consistent(old_size=old, new_size=new, old_root=roots[0], new_root=roots[1], proof=proof) is possible


@given(st.data())
def test_no_flipped_bit_in_a_proof_is_accepted(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 60))
    old = data.draw(st.integers(1, new - 1))
    leaves = [b"%d" % number for number in range(new)]
    tree = Stored(leaves)
    path = merkle.prove_inclusion(tree, index=old, size=new)
    proof = merkle.prove_consistency(tree, old_size=old, new_size=new)
    bit = data.draw(st.integers(0, 255))
    at = data.draw(st.integers(0, len(path) - 1))
    changed = [*path[:at], make_merkle.flipped(path[at], bit), *path[at + 1 :]]
    leaf = merkle.leaf_hash(leaves[old])
    assert not included(index=old, size=new, leaf_hash=leaf, proof=changed, root=tree.roots[new])
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:at], make_merkle.flipped(proof[at], bit), *proof[at + 1 :]]
    roots = {"old_root": tree.roots[old], "new_root": tree.roots[new]}
    assert not consistent(old_size=old, new_size=new, proof=changed, **roots)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (4, 5), (6, 13), (64, 65), (17, 70)])
def test_every_flipped_bit_of_one_proof_is_refused(old: int, new: int) -> None:
    leaves = [b"%d" % number for number in range(new)]
    tree = Stored(leaves)
    roots = {"old_root": tree.roots[old], "new_root": tree.roots[new]}
    path = merkle.prove_inclusion(tree, index=old, size=new)
    proof = merkle.prove_consistency(tree, old_size=old, new_size=new)
    for bit in range(256):
        for at, one in enumerate(path):
            changed = [*path[:at], make_merkle.flipped(one, bit), *path[at + 1 :]]
            leaf = merkle.leaf_hash(leaves[old])
            assert not included(index=old, size=new, leaf_hash=leaf, proof=changed, root=tree.roots[new])
        for at, one in enumerate(proof):
            changed = [*proof[:at], make_merkle.flipped(one, bit), *proof[at + 1 :]]
            assert not consistent(old_size=old, new_size=new, proof=changed, **roots)
