"""What a person wants to be told, as it may be sent."""

from typing import Annotated, Literal

from pydantic import Field

from blueprints.bodies_base import Body, without_default
from pipeline.wishes import Pace

Event = Literal["success", "partial", "failure", "recovery", "paused", "drafts", "expiry"]
_ABSENT = Field(default=False, json_schema_extra=without_default)
_UNSAID = Field(default=0, json_schema_extra=without_default)


class ChannelsEdit(Body):
    """Of one event; what is left out stays as it is."""

    app: bool = _ABSENT
    email: bool = _ABSENT


class PreferencesEdit(Body):
    """What is left out stays as it is. `pace` is how mails come; `hour`, of the account's zone, and
    `weekday`, 0 for Sunday, say when the digest does."""

    events: dict[Event, ChannelsEdit] = Field(default={}, json_schema_extra=without_default)
    only_changes: bool = _ABSENT
    pace: Literal["EACH", "DAILY", "WEEKLY", "NONE"] = Field(
        default=Pace.EACH.value, json_schema_extra=without_default
    )
    hour: Annotated[int, Field(ge=0, le=23)] = _UNSAID
    weekday: Annotated[int, Field(ge=0, le=6)] = _UNSAID
    urgent_at_once: bool = _ABSENT
