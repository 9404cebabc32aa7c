import pytest
from cryptography.fernet import Fernet

from lib.secrets import SecretBox, SecretError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_was_sealed_opens_again_and_is_not_readable():
    box = SecretBox([NEW])
    assert box.open(box.seal("ghp_token")) == "ghp_token"
    assert "ghp_token" not in box.seal("ghp_token")


def test_an_older_key_still_opens_and_the_first_key_seals():
    sealed = SecretBox([OLD]).seal("x")
    both = SecretBox([NEW, OLD])
    assert both.open(sealed) == "x"
    assert SecretBox([NEW]).open(both.seal("y")) == "y"


def test_a_lost_key_is_a_permanent_error_with_the_remedy():
    with pytest.raises(SecretError, match="ENCRYPTION_KEYS") as error:
        SecretBox([NEW]).open(SecretBox([OLD]).seal("x"))
    assert error.value.permanent
