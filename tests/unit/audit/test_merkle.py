"""A tree grows from its edge alone, and what cannot be a tree or a proof is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    CompactRange,
    ConsistencyError,
    InclusionError,
    MerkleError,
    Subtree,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    read_root,
    verify_consistency,
    verify_inclusion,
)

A, B, C = (leaf_hash(leaf) for leaf in (b"a", b"b", b"c"))


class Nothing:
    """Of a tree that must not be read at all."""

    def subtree_hash(self, level: int, index: int) -> bytes:
        raise AssertionError(f"subtree {level}, {index} was read")


def grown(size: int) -> CompactRange:
    tree = CompactRange()
    for number in range(size):
        tree.append(leaf_hash(b"%d" % number))
    return tree


def test_a_leaf_completes_itself_and_what_it_ends() -> None:
    tree = CompactRange()
    assert tree.append(A) == [Subtree(0, 0, A)]
    assert tree.append(B) == [Subtree(0, 1, B), Subtree(1, 0, node_hash(A, B))]
    assert tree.append(C) == [Subtree(0, 2, C)]
    assert (tree.size, tree.hashes, tree.root()) == (3, (node_hash(A, B), C), node_hash(node_hash(A, B), C))


@given(st.integers(0, 300), st.integers(0, 20))
def test_a_tree_taken_up_from_its_edge_grows_as_if_never_left(size: int, more: int) -> None:
    left = grown(size)
    taken_up = CompactRange(left.size, left.hashes)
    for number in range(size, size + more):
        assert taken_up.append(leaf_hash(b"%d" % number)) == left.append(leaf_hash(b"%d" % number))
    assert taken_up.root() == left.root() == grown(size + more).root()


def test_the_edge_of_a_large_tree_is_small() -> None:
    assert len(grown(1023).hashes) == 10
    assert len(grown(1024).hashes) == 1


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(-1, [A]), (0, [A]), (1, []), (2, [A, B]), (3, [A]), (1, [A[:-1]]), (1, [A + b"\x00"])],
)
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(MerkleError):
        CompactRange(size, hashes)


@pytest.mark.parametrize("leaf", [b"", A[:-1], A + A])
def test_what_is_no_hash_is_not_appended(leaf: bytes) -> None:
    tree = grown(3)
    before = tree.hashes
    with pytest.raises(MerkleError):
        tree.append(leaf)
    assert (tree.size, tree.hashes) == (3, before)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, -1)])
def test_no_inclusion_is_proved_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(MerkleError):
        prove_inclusion(Nothing(), index=index, size=size)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 3), (4, 3), (-1, 3)])
def test_no_consistency_is_proved_from_an_empty_or_larger_tree(old: int, new: int) -> None:
    with pytest.raises(MerkleError):
        prove_consistency(Nothing(), old_size=old, new_size=new)


def test_the_empty_tree_has_its_root_and_no_tree_is_smaller() -> None:
    assert read_root(Nothing(), 0) == CompactRange().root() == EMPTY_ROOT
    with pytest.raises(MerkleError):
        read_root(Nothing(), -1)


@pytest.mark.parametrize("new_size", [0, 1, 2])
def test_consistency_from_the_empty_tree_is_refused(new_size: int) -> None:
    with pytest.raises(ConsistencyError):
        verify_consistency(
            old_size=0, new_size=new_size, old_root=EMPTY_ROOT, new_root=grown(new_size).root(), proof=[]
        )


def test_bytes_moved_between_two_hashes_are_refused() -> None:
    root = node_hash(node_hash(A, B), C)
    verify_inclusion(index=0, size=3, leaf_hash=A, proof=[B, C], root=root)
    with pytest.raises(InclusionError, match="32 bytes"):
        verify_inclusion(index=0, size=3, leaf_hash=A + B[:1], proof=[B[1:], C], root=root)
    with pytest.raises(ConsistencyError, match="32 bytes"):
        verify_consistency(old_size=1, new_size=2, old_root=A + B[:1], new_root=node_hash(A, B), proof=[B[1:]])


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    root = node_hash(node_hash(A, B), C)
    with pytest.raises(InclusionError):
        verify_inclusion(index=0, size=3, leaf_hash=node_hash(A, B), proof=[C], root=root)


def test_a_proof_that_is_too_long_is_refused_though_it_leads_to_the_roots() -> None:
    with pytest.raises(InclusionError, match="too long"):
        verify_inclusion(index=0, size=1, leaf_hash=A, proof=[B], root=node_hash(B, A))
    old, new = node_hash(A, B), node_hash(A, node_hash(B, C))
    with pytest.raises(ConsistencyError, match="too long"):
        verify_consistency(
            old_size=3, new_size=4, old_root=node_hash(C, old), new_root=node_hash(C, new), proof=[B, C, A, C]
        )
