"""What may be sent about drafts, as pydantic models: nothing is refused that a database can keep."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from blueprints.bodies_base import Body, line, prose, within, without_default, wrong

LINE_MAX, CONTENT_MAX, TAGS_MAX, TAG_MAX, INSTRUCTION_MAX = 500, 900_000, 50, 100, 2000
"""Characters, and tags: more than any platform takes, so that a text that is too long can be kept and cut."""


def _few(tags: list[str]) -> list[str]:
    if len(tags) > TAGS_MAX:
        raise wrong(f"Must have at most {TAGS_MAX} tags; it has {len(tags)}.")
    return tags


Line = Annotated[str, within(LINE_MAX), AfterValidator(line)]
Tag = Annotated[str, within(TAG_MAX, 1), AfterValidator(line)]
Content = Annotated[str, StringConstraints(max_length=CONTENT_MAX), AfterValidator(prose)]
Tags = Annotated[list[Tag], AfterValidator(_few), Field(json_schema_extra={"maxItems": TAGS_MAX})]
Instruction = Annotated[str, within(INSTRUCTION_MAX), AfterValidator(prose)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
_ABSENT = Field(default="", json_schema_extra=without_default)


class DraftEdit(Body):
    """`version` is the one that the change was made on. What the platform will not take is stored all the
    same; `checks` of the answer say so."""

    version: Version
    title: Line = _ABSENT
    subtitle: Line = _ABSENT
    content: Content = _ABSENT
    tags: Tags = Field(default=[])


class DecisionBody(Body):
    """`version`: only if the draft is still at this one; without it, as it stands."""

    version: Version | None = None


class RegenerateBody(DecisionBody):
    """`instruction` is what to do otherwise, in plain words."""

    instruction: Instruction = ""


class RestoreBody(Body):
    """`number` becomes the text of the draft, which is at `version`."""

    version: Version
    number: Version
