"""What a scan withheld, in sentences that say how many and why, never what."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from lib.words import plural


def sentences(withheld: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """`withheld`: as a stored activity has it."""
    counts = Counter(str(one.get("reason")) for one in withheld)
    fixes, masked = counts["security"], counts["secret"]
    parts = []
    if fixes:
        until = "until a release carries it" if fixes == 1 else "until a release carries them"
        parts.append(f"{plural(fixes, 'security fix', 'items of security fixes')} {until}")
    if counts["word"]:
        parts.append(f"{counts['word']} by your words")
    if counts["path"]:
        parts.append(f"{counts['path']} by your paths")
    whole = fixes + counts["word"] + counts["path"]
    said = [f"{plural(whole, 'item')} withheld: {', '.join(parts)}."] if parts else []
    if masked:
        said.append(f"What looks like a secret is masked in {plural(masked, 'item')}.")
    return tuple(said)
