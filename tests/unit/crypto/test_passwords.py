"""Passwords: what may be used, how it is kept, and that nothing tells whether an account exists."""

import json
import unicodedata
from importlib.resources import files
from typing import Any

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.crypto.errors import PasswordError
from screening.crypto.passwords import PasswordCheck, PasswordHasher, check_password_rules

GOOD = "seven otters knit quietly"
CHEAP = PasswordHasher(memory_kib=8, iterations=1)


def test_the_right_password_is_accepted_and_others_are_not() -> None:
    stored = CHEAP.hash(GOOD)
    assert CHEAP.verify(stored, GOOD) == PasswordCheck(ok=True)
    for wrong in (GOOD + " ", GOOD.upper(), GOOD[:-1], "", "x" * 2000, "\ud800"):
        assert CHEAP.verify(stored, wrong) == PasswordCheck(ok=False)


def test_the_cost_is_owasp_s_unless_another_is_given() -> None:
    stored = PasswordHasher().hash(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    argon2.PasswordHasher().verify(stored, GOOD)


def test_two_hashes_of_one_password_differ() -> None:
    assert CHEAP.hash(GOOD) != CHEAP.hash(GOOD)


@pytest.mark.parametrize("cost", [{"memory_kib": 16}, {"iterations": 2}, {"memory_kib": 64, "parallelism": 2}])
def test_a_hash_of_another_cost_is_renewed_at_log_in(cost: dict[str, int]) -> None:
    other = PasswordHasher(**{"memory_kib": 8, "iterations": 1, **cost})
    stored = other.hash(GOOD)
    check = CHEAP.verify(stored, GOOD)
    assert check.ok
    assert check.new_hash is not None
    assert check.new_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert CHEAP.verify(check.new_hash, GOOD) == PasswordCheck(ok=True)
    assert CHEAP.verify(stored, GOOD + "!") == PasswordCheck(ok=False)


def test_a_missing_account_costs_as_much_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    real = argon2.PasswordHasher.verify

    def noting(self: argon2.PasswordHasher, hash: str | bytes, password: str | bytes) -> Any:
        verified.append(str(hash).rsplit("$", 2)[0])
        return real(self, hash, password)

    stored = CHEAP.hash(GOOD)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", noting)
    assert CHEAP.verify(None, GOOD) == PasswordCheck(ok=False)
    assert CHEAP.verify(stored, "another one entirely") == PasswordCheck(ok=False)
    assert verified == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


def test_no_password_fits_a_missing_account() -> None:
    assert CHEAP.verify(None, "nobody's password") == PasswordCheck(ok=False)


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$x$y", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_hash_fits_no_password(stored: str) -> None:
    assert CHEAP.verify(stored, GOOD) == PasswordCheck(ok=False)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    password = "Ångström's crème brûlée"
    stored = CHEAP.hash(unicodedata.normalize("NFD", password))
    assert CHEAP.verify(stored, unicodedata.normalize("NFC", password)).ok
    assert CHEAP.verify(CHEAP.hash("seven ｏｔｔｅｒｓ knit ﬁve"), "seven otters knit five").ok


@settings(max_examples=50)
@given(st.text(min_size=15, max_size=60))
def test_whatever_may_be_used_verifies(password: str) -> None:
    try:
        check_password_rules(password)
    except PasswordError:
        with pytest.raises(PasswordError):
            CHEAP.hash(password)
    else:
        assert CHEAP.verify(CHEAP.hash(password), password).ok


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "fourteen and 1!",
        "четырнадцать выдр",
        "七只水獭安静地织毛衣在河边的石头上",
        "p" + GOOD,
        "g7#kQ!x0Lm2$Vb9",
        "xabcdefgh97531 q",
    ],
)
def test_a_good_password_is_accepted(password: str) -> None:
    check_password_rules(password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "at least 15"),
        ("fourteen chars", "at least 15"),
        ("ﬁ" * 7, "at least 15"),
        ("é" * 513, "at most 1024"),
        ("ﷺ" * 60, "at most 1024"),
        (GOOD + "\ud800", "valid text"),
        ("a" * 20, "repeats"),
        ("abababababababab", "repeats"),
        ("passwordpassword", "repeats"),
        ("Password password", "repeats"),
        ("qwertyqwertyqwer", "repeats"),
        ("1234 1234 1234 1234", "repeats"),
        ("aaaaaaaabbbbbbbb", "repeats"),
        ("correct horse battery staple", "tried first"),
        ("CorrectHorseBatteryStaple", "tried first"),
        ("correct-horse-battery-staple", "tried first"),
        ("Correct.Horse.Battery.Staple.2026!", "tried first"),
        ("qwertyuiopasdfghjkl", "tried first"),
        ("1qaz2wsx3edc4rfv", "tried first"),
        ("12345678901234567890", "repeats"),
        ("12345678901234567", "tried first"),
        ("123456789012345", "tried first"),
        ("Administrator2026", "tried first"),
        ("2026Administrator!", "tried first"),
        ("@dm1n1str@t0r2026", "tried first"),
        ("Welcome2026!!!!!", "tried first"),
        ("Summer2024!2024!", "tried first"),
        ("WelcomeSummer2026", "tried first"),
        ("Мой пароль 123456789", "tried first"),
        ("December31122026", "tried first"),
    ],
)
def test_a_bad_password_is_refused_and_not_repeated(password: str, reason: str) -> None:
    with pytest.raises(PasswordError, match=reason) as caught:
        CHEAP.hash(password)
    assert not password or password not in str(caught.value)


def test_the_list_holds_hundreds_of_passwords_in_the_form_that_is_compared() -> None:
    passwords = json.loads(files("screening.crypto").joinpath("common_passwords.json").read_text("utf-8"))["passwords"]
    assert len(passwords) >= 400
    assert passwords == sorted(set(passwords))
    for password in passwords:
        plain = unicodedata.normalize("NFKC", password).casefold()
        assert password == "".join(character for character in plain if character.isalnum())


def test_the_repr_of_a_check_does_not_show_the_hash() -> None:
    assert "argon2" not in repr(PasswordCheck(True, CHEAP.hash(GOOD)))
