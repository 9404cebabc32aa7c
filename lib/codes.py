"""What a failure is called: short names that stay the same, for rows, programs, and whoever says what helps.

A code is set where an error is made, by its class, a status or a code of the other side's; nobody reads a
sentence to find it.
"""

from enum import StrEnum


class Code(StrEnum):
    """Why something failed."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no secret, but the name of a failure
    TOKEN_MISSING = "token_missing"  # noqa: S105 - another one
    ACCESS_DENIED = "access_denied"
    RATE_LIMITED = "rate_limited"
    REPOSITORY_GONE = "repository_gone"
    REPOSITORY_OTHER = "repository_other"
    REPOSITORY_BLOCKED = "repository_blocked"
    REPOSITORY_UNNAMED = "repository_unnamed"
    BRANCH_GONE = "branch_gone"
    FOLDER_REFUSED = "folder_refused"
    GIT_FAILED = "git_failed"
    SOURCE_UNREACHABLE = "source_unreachable"
    SOURCE_ADDRESS = "source_address"
    MODEL_KEY_REFUSED = "model_key_refused"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_QUOTA = "model_quota"
    MODEL_RATE_LIMITED = "model_rate_limited"
    MODEL_UNREACHABLE = "model_unreachable"
    MODEL_ANSWER = "model_answer"
    MODEL_REFUSED = "model_refused"
    MODEL_REJECTED = "model_rejected"
    MODEL_NOT_SET = "model_not_set"
    BUDGET_SPENT = "budget_spent"
    NO_PLATFORM = "no_platform"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - and a third
    TIMEOUT = "timeout"
    WORKER_DIED = "worker_died"
    WORKER_STOPPED = "worker_stopped"
    SUPERSEDED = "superseded"
    UNEXPECTED = "unexpected"
