"""Additive shares give one function; whoever deviates is found; nothing but a valid batch is evaluated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.crypto import ristretto, voprf
from screening.crypto.errors import BatchError, EncodingError, PointError, ProofError, ScalarError
from screening.crypto.voprf import MAX_BATCH, Evaluation
from tests.vectors import ristretto_twin as twin

messages = st.lists(st.binary(max_size=40), min_size=1, max_size=4)


def ask(shares: list[tuple[bytes, bytes]], texts: list[bytes]) -> list[bytes]:
    """A client's whole way through any number of evaluators."""
    blinded = [voprf.blind(text) for text in texts]
    sent = [one.element for one in blinded]
    answers = []
    for share, public in shares:
        evaluation = voprf.evaluate(share, public, sent)
        voprf.verify(public, sent, evaluation)
        answers.append(evaluation.elements)
    combined = voprf.combine(answers)
    return [
        voprf.finalize(text, one.blind, element) for text, one, element in zip(texts, blinded, combined, strict=True)
    ]


@given(messages, st.integers(1, 4))
def test_additive_shares_give_the_output_of_their_sum(texts: list[bytes], evaluators: int) -> None:
    shares = [voprf.generate_share() for _ in range(evaluators)]
    total = shares[0][0]
    for share, _ in shares[1:]:
        total = ristretto.scalar_add(total, share)
    assert ask(shares, texts) == ask([(total, voprf.public_share(total))], texts)


@settings(max_examples=5)
@given(messages)
def test_the_output_is_the_twin_s(texts: list[bytes]) -> None:
    one, other = voprf.generate_share(), voprf.generate_share()
    key = sum(int.from_bytes(share, "little") for share, _ in (one, other)) % twin.L
    assert ask([one, other], texts) == [twin.voprf(key, text) for text in texts]


def test_the_order_of_evaluators_makes_no_difference() -> None:
    shares = [voprf.generate_share() for _ in range(3)]
    assert ask(shares, [b"a", b"b"]) == ask(shares[::-1], [b"a", b"b"])


def test_what_is_sent_for_one_input_differs_each_time() -> None:
    assert len({voprf.blind(b"the same").element for _ in range(50)}) == 50


@given(st.integers(2, 3), st.data())
def test_one_deviating_evaluator_among_several_is_found(evaluators: int, data: st.DataObject) -> None:
    shares = [voprf.generate_share() for _ in range(evaluators)]
    bad = data.draw(st.integers(0, evaluators - 1))
    sent = [voprf.blind(bytes([i])).element for i in range(3)]
    for index, (share, public) in enumerate(shares):
        honest = voprf.evaluate(share, public, sent)
        if index != bad:
            voprf.verify(public, sent, honest)
            continue
        another_share, another_public = voprf.generate_share()
        row = data.draw(st.integers(0, 2))
        swapped = list(honest.elements)
        swapped[row], swapped[row - 1] = swapped[row - 1], swapped[row]
        replaced = list(honest.elements)
        replaced[row] = voprf.evaluate(another_share, another_public, [sent[row]]).elements[0]
        of_others = voprf.evaluate(share, public, [voprf.blind(b"x").element for _ in sent])
        for answer in (
            voprf.evaluate(another_share, another_public, sent),
            Evaluation(voprf.evaluate(another_share, another_public, sent).elements, honest.proof),
            Evaluation(swapped, honest.proof),
            Evaluation(replaced, honest.proof),
            Evaluation(replaced, voprf.prove(share, public, sent, replaced)),
            Evaluation(honest.elements[:-1], honest.proof),
            Evaluation(honest.elements, of_others.proof),
            of_others,
        ):
            with pytest.raises(ProofError):
                voprf.verify(public, sent, answer)


def test_an_evaluator_with_a_share_of_its_own_choice_cannot_answer_for_the_pinned_one() -> None:
    """The evaluator claims the public share that fits its answer; the client holds on to the pinned one."""
    _, pinned = voprf.generate_share()
    share, public = voprf.generate_share()
    sent = [voprf.blind(b"x").element]
    answer = voprf.evaluate(share, public, sent)
    voprf.verify(public, sent, answer)
    with pytest.raises(ProofError):
        voprf.verify(pinned, sent, answer)


@pytest.mark.parametrize("number", [0, MAX_BATCH + 1])
def test_an_empty_or_too_large_batch_is_refused(number: int) -> None:
    share, public = voprf.generate_share()
    elements = [public] * number
    with pytest.raises(BatchError):
        voprf.evaluate(share, public, elements)
    with pytest.raises(BatchError):
        voprf.prove(share, public, elements, elements)
    with pytest.raises(BatchError):
        voprf.verify(public, elements, Evaluation(elements, bytes(64)))


@pytest.mark.long
def test_the_largest_batch_is_evaluated_and_proved() -> None:
    share, public = voprf.generate_share()
    sent = [ristretto.scalarmult_base(ristretto.random_scalar()) for _ in range(MAX_BATCH)]
    voprf.verify(public, sent, voprf.evaluate(share, public, sent))


@pytest.mark.parametrize("element", [bytes(32), b"", bytes(31), bytes(33), b"\xff" * 32, None])
def test_a_batch_with_something_that_is_no_element_is_refused(element: bytes) -> None:
    share, public = voprf.generate_share()
    sent = [public, element]
    with pytest.raises(PointError):
        voprf.evaluate(share, public, sent)
    with pytest.raises(PointError):
        voprf.combine([sent])
    with pytest.raises(PointError):
        voprf.combine([[public, public], sent])


def test_a_public_share_that_is_no_element_is_refused() -> None:
    share, public = voprf.generate_share()
    answer = voprf.evaluate(share, public, [public])
    with pytest.raises(PointError):
        voprf.verify(bytes(32), [public], answer)


def test_a_share_or_blind_that_is_no_scalar_is_refused() -> None:
    _, public = voprf.generate_share()
    for scalar in (bytes(32), b"\xff" * 32, b""):
        with pytest.raises(ScalarError):
            voprf.evaluate(scalar, public, [public])
        with pytest.raises(ScalarError):
            voprf.blind(b"x", blind=scalar)
        with pytest.raises(ScalarError):
            voprf.finalize(b"x", scalar, public)
        with pytest.raises(ScalarError):
            voprf.public_share(scalar)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [2, 1], [1, 2, 2]])
def test_rows_that_do_not_belong_together_are_refused(lengths: list[int]) -> None:
    _, public = voprf.generate_share()
    with pytest.raises(BatchError):
        voprf.combine([[public] * length for length in lengths])


def test_answers_that_cancel_each_other_out_are_refused() -> None:
    share, public = voprf.generate_share()
    opposite = ristretto.scalarmult_base((twin.L - int.from_bytes(share, "little")).to_bytes(32, "little"))
    with pytest.raises(PointError):
        voprf.combine([[public], [opposite]])


def test_inputs_that_the_rfc_cannot_encode_are_refused() -> None:
    assert voprf.blind(bytes(65_535)).element
    for refused in (lambda: voprf.blind(bytes(65_536)), lambda: voprf.derive_key_pair(bytes(31), b"")):
        with pytest.raises(EncodingError):
            refused()
    with pytest.raises(EncodingError):
        voprf.derive_key_pair(bytes(32), bytes(65_536))


def test_proofs_need_one_answer_for_each_element() -> None:
    share, public = voprf.generate_share()
    with pytest.raises(BatchError):
        voprf.prove(share, public, [public, public], [public])


def test_the_repr_of_what_is_blinded_does_not_show_the_blind() -> None:
    blinded = voprf.blind(b"x")
    assert repr(blinded.blind) not in repr(blinded)
    assert "blind=" not in repr(blinded)
