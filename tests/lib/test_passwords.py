"""What is guessed first is refused, and nothing else."""

import pytest

from lib import passwords
from lib.passwords import is_common


@pytest.mark.parametrize(
    "typed",
    [
        *("password", "Password", "PASSWORD1", "password123", "P@ssw0rd", "Pa$$w0rd2024!", "passw0rd"),
        *("qwertyuiop", "qwerty123", "1q2w3e4r5t", "1qaz2wsx", "zxcvbnm,./", "asdfghjkl"),
        *("12345678", "123456789", "1234567890", "87654321", "01234567", "90123456", "abcdefgh"),
        *("11111111", "aaaaaaaaaa", "abcabcabc", "12341234", "testtest", "xyxyxyxyx"),
        *("iloveyou", "ILoveYou!", "welcome1", "!!Welcome2026", "letmein!!", "dragon99", "football"),
        *("Repocast1", "changeme", "admin1234", "sunshine", "trustno1"),
    ],
)
def test_common(typed):
    assert is_common(typed)


@pytest.mark.parametrize(
    "typed", ["jane.smith", "JaneSmith1", "jane.smith@example.com", "smith2026", "Example99"]
)
def test_what_is_known_of_the_account(typed):
    known = ("jane.smith@example.com", "JaneSmith")
    assert is_common(typed, *known)
    assert typed == "Example99" or not is_common(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("correct horse", "battery staple", "long enough", "horsehorse", "passwordless entry", "h7Gq2-Lm9x"),
        *("dragon fruit tea", "密码密码是什么呀", "пароль из слов", "a" * 7 + "b", "20261127", "my dog is 8"),
    ],
)
def test_others(typed):
    assert not is_common(typed)
    assert not is_common(typed, "me@example.com")


def test_the_list_is_in_the_form_that_is_looked_up():
    words = passwords._words()
    assert len(words) > 400
    assert {word for word in words if word != word.casefold().strip()} == set()


def test_what_is_typed_is_looked_up_in_no_time():
    """However long: registering is open to everybody."""
    assert not is_common("ab" * 499 + "c", "a" * 250 + "@example.com")
