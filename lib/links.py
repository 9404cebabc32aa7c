"""Addresses that do something for whoever holds them: signed, for one thing, for a while."""

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from lib import clock

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

APPROVAL_LASTS = timedelta(days=14)
_PURPOSE, _UNSUBSCRIBE = "repocast.approve", "repocast.unsubscribe"
Approvable = tuple[str, int]
"""A draft's id and its version."""


class BrokenLinkError(Exception):
    """The token is not one of ours, or not whole."""


class ExpiredLinkError(Exception):
    """The token is older than APPROVAL_LASTS."""


class Links:
    """Makes and reads them. `base_url`: where people reach the app, without a slash at its end; `secret`
    signs, the same in the web and the worker process.

    The token is no secret of anybody's account: it can approve this version of this draft, or stop
    these mails, and nothing else.
    It stands in the query, which our own logs leave out.
    """

    def __init__(self, base_url: str, secret: str) -> None:
        self._base_url = base_url
        self._secret = secret

    def approval(self, draft_id: str, version: int) -> str:
        """Where exactly this version of a draft can be approved for APPROVAL_LASTS."""
        token = self._signer().dumps([draft_id, version])
        return f"{self._base_url}/approve?token={quote(token)}"

    def approvable(self, token: str) -> Approvable:
        """What a token stands for. Raises BrokenLinkError, or ExpiredLinkError."""
        from itsdangerous import BadData, SignatureExpired

        try:
            signed = self._signer().loads(token, max_age=int(APPROVAL_LASTS.total_seconds()))
        except SignatureExpired as error:
            raise ExpiredLinkError from error
        except BadData as error:
            raise BrokenLinkError from error
        draft_id, version = signed
        return str(draft_id), int(version)

    def unsubscribe(self, user_id: str, event: str) -> str:
        """Where this person can stop the mails about this event, without an end."""
        token = self._signer(_UNSUBSCRIBE).dumps([user_id, event])
        return f"{self._base_url}/unsubscribe?token={quote(token)}"

    def unsubscribable(self, token: str) -> tuple[str, str]:
        """The user's id and the event that a token stands for. Raises BrokenLinkError."""
        from itsdangerous import BadData

        try:
            user_id, event = self._signer(_UNSUBSCRIBE).loads(token)
        except BadData as error:
            raise BrokenLinkError from error
        return str(user_id), str(event)

    def _signer(self, purpose: str = _PURPOSE) -> "URLSafeTimedSerializer":
        """On our own clock. Imported when it is first asked for: a resting worker does without."""
        from itsdangerous import TimestampSigner, URLSafeTimedSerializer

        class Ours(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock.now().timestamp())

        return URLSafeTimedSerializer(self._secret, salt=purpose, signer=Ours)
