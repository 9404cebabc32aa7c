"""What a test needs from the machine: CI must have it, elsewhere the test is skipped with the reason."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI needs it)", pytrace=False)
    pytest.skip(reason)
