"""What posts say of how they were made."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from blueprints.bodies_voice import MAX_DISCLOSURE
from models.values import Brief, Digest, Post, Window
from platforms import PLATFORMS
from writers.disclosure import by_template, default


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("made_by", ["MODEL", "TEMPLATE"])
def test_a_default_is_what_an_owner_could_have_typed(kind, made_by):
    sentence = default(kind, made_by)
    assert len(sentence) <= MAX_DISCLOSURE
    assert ("drafted by an AI model" in sentence) == (made_by == "MODEL")
    assert ("without an AI model" in sentence) == (made_by == "TEMPLATE")
    assert "review" not in sentence  # nobody has, when the draft is made
    assert PLATFORMS[kind].check(Post("" if kind == "LINKEDIN" else "Title", sentence)) == []


@pytest.mark.parametrize("kind", PLATFORMS)
def test_the_template_writer_that_steps_in_does_not_pass_for_a_model(kind):
    day = datetime(2025, 10, 3, tzinfo=UTC)
    digest = Digest("username/awesome-lib", None, "1 commit", "the last day", "daily", Window(day, day))
    asked = Brief(digest, PLATFORMS[kind].rules, "My Library", disclosure=default(kind, "MODEL"))
    assert by_template(asked) == replace(asked, disclosure=default(kind, "TEMPLATE"))
    for own in ("", "Made with help.", default(kind, "TEMPLATE")):
        assert by_template(replace(asked, disclosure=own)).disclosure == own
