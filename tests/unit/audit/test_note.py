"""A note is read in one form only, and believed only when a known key signed every byte of its text."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.note import (
    COSIGNATURE,
    ED25519,
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    MAX_TIMESTAMP,
    Note,
    NoteError,
    NoteKey,
    NoteSignature,
    sign_note,
    verify_note,
)

TEXT = "A text of two lines,\n\nwith an empty one between: è.\n"
LOG_SECRET = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
WITNESS_SECRET = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
LOG = NoteKey("log.example/registry", ED25519, LOG_SECRET.public_key().public_bytes_raw())
WITNESS = NoteKey("witness.example/w1", COSIGNATURE, WITNESS_SECRET.public_key().public_bytes_raw())
TIME = 1_795_000_000


def signed(text: str = TEXT) -> Note:
    return Note(text, (sign_note(LOG_SECRET.sign, key=LOG, text=text),))


def cosigned(text: str = TEXT) -> Note:
    note = signed(text)
    return replace(note, signatures=(*note.signatures, cosignature(text)))


def cosignature(text: str = TEXT, time: int = TIME) -> NoteSignature:
    return sign_note(WITNESS_SECRET.sign, key=WITNESS, text=text, time=time)


# --- signing and verifying ---------------------------------------------------------------------------------------


def test_signatures_by_known_keys_are_told_with_their_times() -> None:
    note = Note.parse(cosigned().format())
    assert [(one.key, one.time) for one in verify_note(note, [WITNESS, LOG])] == [(LOG, None), (WITNESS, TIME)]
    assert [one.key for one in verify_note(note, [WITNESS])] == [WITNESS]


def test_a_note_without_a_known_signature_is_refused() -> None:
    with pytest.raises(NoteError, match="no known key"):
        verify_note(signed(), [WITNESS])
    with pytest.raises(NoteError, match="no known key"):
        verify_note(signed(), [])


def test_one_false_signature_by_a_known_key_spoils_the_note() -> None:
    note = cosigned()
    false = replace(note, signatures=(*note.signatures, cosignature(TEXT + "more\n")))
    with pytest.raises(NoteError, match="did not make"):
        verify_note(false, [LOG, WITNESS])
    assert len(verify_note(false, [LOG])) == 1


@pytest.mark.parametrize("change", [{"name": "log.example/other"}, {"key_id": b"\x00" * 4}])
def test_a_signature_that_shares_only_name_or_id_with_a_known_key_says_nothing(change: dict[str, str | bytes]) -> None:
    note = signed()
    (signature,) = note.signatures
    other = replace(signature, signature=b"\x00" * 64, **change)  # type: ignore[arg-type] # each value fits its field
    assert len(verify_note(replace(note, signatures=(other, signature)), [LOG])) == 1
    with pytest.raises(NoteError, match="no known key"):
        verify_note(replace(note, signatures=(other,)), [LOG])


def test_a_key_in_one_role_does_not_sign_in_the_other() -> None:
    as_witness = NoteKey(LOG.name, COSIGNATURE, LOG.public_key)
    assert as_witness.key_id != LOG.key_id
    with pytest.raises(NoteError, match="no known key"):
        verify_note(signed(), [as_witness])
    relabelled = replace(signed().signatures[0], key_id=as_witness.key_id)
    with pytest.raises(NoteError):
        verify_note(Note(TEXT, (relabelled,)), [as_witness])


def test_a_cosignature_under_another_time_is_refused() -> None:
    moved = replace(cosignature(), signature=(TIME + 1).to_bytes(8) + cosignature().signature[8:])
    with pytest.raises(NoteError, match="did not make"):
        verify_note(Note(TEXT, (moved,)), [WITNESS])


def test_a_cosignature_after_the_last_time_is_refused() -> None:
    verify_note(Note(TEXT, (cosignature(time=MAX_TIMESTAMP),)), [WITNESS])
    with pytest.raises(NoteError):
        cosignature(time=MAX_TIMESTAMP + 1)
    message = f"cosignature/v1\ntime {2**63}\n{TEXT}".encode()
    late = NoteSignature(WITNESS.name, WITNESS.key_id, (2**63).to_bytes(8) + WITNESS_SECRET.sign(message))
    with pytest.raises(NoteError, match="malformed"):
        verify_note(Note(TEXT, (late,)), [WITNESS])


def test_only_a_cosignature_names_a_time() -> None:
    with pytest.raises(NoteError):
        sign_note(LOG_SECRET.sign, key=LOG, text=TEXT, time=TIME)
    with pytest.raises(NoteError):
        sign_note(WITNESS_SECRET.sign, key=WITNESS, text=TEXT)
    with pytest.raises(NoteError):
        cosignature(time=-1)


@pytest.mark.parametrize("length", [0, 7, 8, 63, 71, 73])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    for key, maker in ((LOG, signed()), (WITNESS, Note(TEXT, (cosignature(),)))):
        raw = (maker.signatures[0].signature + b"\x00" * 2)[:length]
        with pytest.raises(NoteError):
            verify_note(Note(TEXT, (NoteSignature(key.name, key.key_id, raw),)), [key])


def test_no_flipped_bit_in_a_signed_note_is_accepted() -> None:
    data = cosigned().format()
    for at in range(len(data)):
        for bit in range(8):
            changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            try:
                verified = verify_note(Note.parse(changed), [LOG, WITNESS])
            except NoteError:
                continue
            # What is left is a note with one signature of a key that is not known: its name or id was changed.
            assert len(verified) == 1
            assert Note.parse(changed).text == TEXT


def test_keys_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(NoteError, match="told apart"):
        verify_note(signed(), [LOG, LOG])


# --- the form of notes -------------------------------------------------------------------------------------------


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1).filter(lambda name: "+" not in name)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\x7f")).map(
    lambda text: text + "\n"
)
SIGNATURES = st.builds(NoteSignature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=100))


@given(text=TEXTS, signatures=st.lists(SIGNATURES, min_size=1, max_size=20))
def test_what_is_written_is_read_again(text: str, signatures: list[NoteSignature]) -> None:
    note = Note(text, tuple(signatures))
    assert Note.parse(note.format()) == note


@given(st.binary() | st.text().map(str.encode))
def test_whatever_is_read_is_written_the_same_or_refused(data: bytes) -> None:
    for start in (b"", TEXT.encode() + b"\n", signed().format()):
        try:
            note = Note.parse(start + data)
        except NoteError:
            continue
        assert note.format() == start + data


GOOD = signed().format()
LINE = str(signed().signatures[0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"more\n",
        GOOD + b"\xff\n",
        GOOD.replace(b"A text", b"A\ttext"),
        GOOD.replace(b"A text", b"A\rtext"),
        GOOD.replace(b"A text", b"A\x00text"),
        GOOD.replace(b"A text", b"A\xfftext"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace("— ".encode(), b"- "),
        GOOD.replace("— ".encode(), "—".encode()),
        GOOD.replace("— ".encode(), "—  ".encode()),
        GOOD.replace(b"log.example", b"log+example"),
        GOOD.replace(b"log.example", "log\u00a0example".encode()),
        GOOD.replace(b"log.example", "log\u2003example".encode()),
        GOOD.replace(b"log.example", b"log example"),
        GOOD[:-1] + b" \n",
        GOOD[:-1] + b"=\n",
        f"{TEXT}\n— name \n".encode(),
        f"{TEXT}\n— name\n".encode(),
        f"{TEXT}\n—  AAAAAAAA\n".encode(),
        f"{TEXT}\n— name AAAAAA==\n".encode(),
        f"{TEXT}\n— name AAAAAAB=\n".encode(),
        f"{TEXT}\n— name AAAAAA-_\n".encode(),
        f"{TEXT}\n— name AAAAAAA\n".encode(),
        f"{TEXT}\n— name è\n".encode(),
        f"\n\n{LINE}\n\n".encode(),
        f"{TEXT}\n{(LINE + chr(10)) * (MAX_SIGNATURES + 1)}".encode(),
        b"x" * MAX_NOTE_BYTES + GOOD,
    ],
)
def test_a_malformed_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        Note.parse(data)


def test_as_many_signatures_as_allowed_are_read() -> None:
    assert len(Note.parse(f"{TEXT}\n{(LINE + chr(10)) * MAX_SIGNATURES}".encode()).signatures) == MAX_SIGNATURES


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\x1fb\n", "\ud800\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(LOG_SECRET.sign, key=LOG, text=text)
    with pytest.raises(NoteError):
        Note(text, signed().signatures).format()


def test_a_note_that_nobody_signed_is_not_written() -> None:
    with pytest.raises(NoteError):
        Note(TEXT).format()
    with pytest.raises(NoteError):
        Note(TEXT, signed().signatures * (MAX_SIGNATURES + 1)).format()


# --- keys --------------------------------------------------------------------------------------------------------


@given(name=NAMES, kind=st.sampled_from([ED25519, COSIGNATURE]), public=st.binary(min_size=32, max_size=32))
def test_a_written_key_is_read_again(name: str, kind: int, public: bytes) -> None:
    key = NoteKey(name, kind, public)
    assert NoteKey.parse(str(key)) == key


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x00b", "\ud800"])
def test_a_name_that_no_note_can_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteError):
        NoteKey(name, ED25519, LOG.public_key)


@pytest.mark.parametrize(("kind", "public"), [(0, 32), (2, 32), (6, 32), (1, 31), (4, 33), (1, 0)])
def test_a_key_of_another_kind_is_refused(kind: int, public: int) -> None:
    with pytest.raises(NoteError):
        NoteKey("name", kind, b"\x00" * public)


def test_no_piece_of_a_written_key_and_no_changed_character_passes() -> None:
    written = str(LOG)
    pieces = [written[:end] for end in range(len(written))] + [written[start:] for start in range(1, len(written))]
    changed = [written[:at] + chr(ord(char) + 1) + written[at + 1 :] for at, char in enumerate(written)]
    for wrong in (*pieces, *changed, written + "\n", written.replace("+", "++"), written.upper()):
        with pytest.raises(NoteError):
            NoteKey.parse(wrong)
