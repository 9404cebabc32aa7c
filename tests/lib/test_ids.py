"""Ids are of one shape and never come twice."""

import re
from collections import Counter

from lib import ids


def test_an_id_is_its_prefix_and_twenty_letters_and_digits():
    assert re.fullmatch("exec_[a-z0-9]{20}", ids.new("exec"))


def test_every_character_comes_at_every_place():
    """A bias would show: each of 36 characters is expected 1,000 times in 36,000 draws, give or take 31."""
    made = [ids.new("x")[2:] for _ in range(36_000)]
    assert len(set(made)) == len(made)
    for place in range(20):
        counts = Counter(one[place] for one in made)
        assert len(counts) == 36
        assert all(700 < count < 1300 for count in counts.values())
