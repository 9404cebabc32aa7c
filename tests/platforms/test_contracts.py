"""The numbers in the table of limits are those of the services' contracts, where these lie beside the
checkout."""

import json
import re
from pathlib import Path

import pytest

from platforms.hashnode import sent
from tests.platforms.limits import GOOD, LIMITS


@pytest.fixture(scope="module")
def contracts(shared_data: Path) -> Path:
    return shared_data.parent / "contracts"


def most(kind: str, name: str) -> int:
    [found] = {limit.most for limit in LIMITS if (limit.kind, limit.name) == (kind, name)}
    return found


def stated(pattern: str, text: str) -> int:
    """The one number that the contract has in this place."""
    [number] = re.findall(pattern, text)
    return int(number)


def test_devto(contracts: Path) -> None:
    rules = (contracts / "devto.md").read_text()
    assert stated(r"title present, <=(\d+) characters", rules) == most("DEVTO", "title")
    assert stated(r"tags <=(\d+);", rules) == most("DEVTO", "tags")
    assert stated(r"joined list <=(\d+) characters", rules) == most("DEVTO", "tagList")
    assert stated(r"body_markdown <= (\d+) kB", rules) * 1000 == most("DEVTO", "content")
    assert stated(r"<=(\d+) @mentions", rules) == most("DEVTO", "mentions")


def test_devto_takes_the_members_that_an_export_names(contracts: Path) -> None:
    described = json.loads((contracts / "forem-openapi-articles.json").read_text())
    article = described["components"]["schemas"]["Article"]["properties"]["article"]["properties"]
    assert {"title", "description", "tags", "published"} <= set(article)


def test_hashnode(contracts: Path) -> None:
    schema = (contracts / "hashnode-schema-subset.graphql").read_text()
    for name in ("PublishPostInput", "CreateDraftInput"):
        members = re.search(rf"^input {name} \{{(.*?)^\}}", schema, flags=re.M | re.S)
        assert members is not None
        declared = set(re.findall(r"^  (\w+):", members[1], flags=re.M))
        assert set(json.loads(sent(GOOD["HASHNODE"]))) <= declared
        assert stated(r"Tags as slugs \(max (\d+)\)", members[1]) == most("HASHNODE", "tags")
    # What is kept of the 100 KB for the rest of the request is ours.
    told = (contracts / "hashnode.md").read_text()
    assert 0 < stated(r"body \*\*(\d+) KB\*\*", told) * 1000 - most("HASHNODE", "content") <= 2_000


def test_linkedin(contracts: Path) -> None:
    told = (contracts / "linkedin.md").read_text()
    assert 0 < stated(r"Length: \*\*(\d+)\*\* characters", told) - most("LINKEDIN", "content") <= 100
