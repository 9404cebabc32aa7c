"""False posts made of true ones: none passes, and no true one is stopped."""

import json
from collections import Counter
from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import pytest

from models.values import Brief, Digest, Manuscript
from pipeline.digest import digest
from platforms import PLATFORMS
from sources.github import GitHub
from tests.standins.github import GitHubStandIn, parse
from tests.writers.mutations import MUTATIONS, harmless
from tests.writers.truths import RELAY, plain, relay
from writers import ledger, render
from writers.ledger import audit

SEED, CORRUPTIONS = 20251003, 500
LEAST_KINDS = 20
MOST = 16
"""Items of a recorded week: the tests below audit hundreds of posts."""


def brief(found: Digest) -> Brief:
    return Brief(found, PLATFORMS["HASHNODE"].rules, found.repository.rpartition("/")[2])


@pytest.fixture(scope="module")
def recorded(shared_data) -> list[Digest]:
    found = []
    for path in sorted((shared_data / "activity").glob("*.json")):
        week = json.loads(path.read_text())
        owner, name = week["repository"]["full_name"].split("/")
        with GitHubStandIn(week, server_time=parse(week["_meta"]["window"]["to"])) as github:
            scanned = GitHub(github.url, owner, name).scan(parse(week["_meta"]["window"]["from"]))
        whole = digest(scanned, cadence="weekly", zone=ZoneInfo("UTC"))
        found.append(replace(whole, items=whole.items[:MOST]))
    return found


def mutate(posts: list[tuple[Brief, Manuscript]], count: int, seed: int) -> tuple[Counter, Counter, list]:
    """How many of each kind there were, how many of them harmless, and those that passed."""
    rng = Random(seed)
    kinds, spared, passed = Counter[str](), Counter[str](), []
    while kinds.total() < count:
        asked, made = rng.choice(posts)
        mutant = rng.choice(MUTATIONS)(rng, asked, made)
        if mutant is None:
            continue
        kinds[mutant.kind] += 1
        found = audit(asked, mutant.manuscript)
        if found.findings:
            if mutant.kind not in ("must-mention left out", "no ref", "swapped ref", "title"):
                post = render.post(asked, found.kept)
                assert mutant.false.text not in [claim.text for claim in post.claims]
                assert mutant.lie not in post.content or mutant.lie in render.post(asked, made).content
        elif harmless(mutant, asked):
            spared[mutant.kind] += 1
        else:
            passed.append((mutant.kind, mutant.lie, mutant.false, mutant.said.text))
    return kinds, spared, passed


def check(posts: list[tuple[Brief, Manuscript]], seed: int) -> None:
    kinds, spared, passed = mutate(posts, CORRUPTIONS, seed)
    print(f"\n{kinds.total()} corruptions of {len(kinds)} kinds: {dict(kinds)}; harmless: {dict(spared)}")
    assert passed == []
    assert len(kinds) >= LEAST_KINDS
    assert spared.total() < CORRUPTIONS / 20


def test_no_corruption_of_a_true_post_passes():
    asked = brief(RELAY)
    check([(asked, relay()), (asked, plain(asked))], SEED)


@pytest.mark.loopback
def test_no_corruption_of_a_true_post_about_a_recorded_week_passes(recorded):
    check([(one := brief(found), plain(one)) for found in recorded], SEED + 1)


@pytest.mark.parametrize("made", [relay(), plain(brief(RELAY))], ids=["written", "by patterns"])
@pytest.mark.parametrize("kind", sorted(PLATFORMS))
def test_a_true_post_is_left_alone(kind, made):
    asked = Brief(RELAY, PLATFORMS[kind].rules, "relay")
    found = audit(asked, made)
    assert found.findings == ()
    assert found.kept == made
    assert ledger.completed(asked, made) == (made, [])
    assert PLATFORMS[kind].check(render.post(asked, made)) == []


@pytest.mark.loopback
def test_true_posts_about_recorded_weeks_are_left_alone(recorded):
    for found in recorded:
        for platform in PLATFORMS.values():
            asked = Brief(found, platform.rules, "A project")
            assert audit(asked, plain(asked)).findings == ()
            assert platform.check(render.post(asked, plain(asked))) == []


def test_the_corruptions_are_told_apart_from_harmless_ones():
    """A mutation that changes nothing false would make the count above worthless."""
    asked = brief(RELAY)
    rng = Random(SEED)
    made = [m for _ in range(20) for mutation in MUTATIONS if (m := mutation(rng, asked, relay()))]
    assert sum(harmless(mutant, asked) for mutant in made) < len(made) / 20
    assert all(mutant.manuscript != relay() for mutant in made)
