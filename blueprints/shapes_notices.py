"""The shapes of what the API answers about what a person is told."""

from blueprints.shapes import Instant, View
from pipeline.wishes import Pace


class ChannelsView(View):
    """Where an event is told."""

    app: bool
    email: bool


class PreferencesView(View):
    """`pace` is how mails come: EACH by itself, together DAILY or WEEKLY, or NONE; `hour` and `weekday` (0 is
    Sunday) are those of the digest, in `timezone`, the account's. With `urgentAtOnce` failures, pauses and
    tokens that expire are mailed at once beside a digest, and where the pace is NONE. Nothing is mailed until
    the address is verified."""

    events: dict[str, ChannelsView]
    only_changes: bool
    pace: Pace
    hour: int
    weekday: int
    urgent_at_once: bool
    timezone: str
    next_digest_at: Instant | None
    email: str
    is_verified: bool
