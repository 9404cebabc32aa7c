"""Text that gives orders to a machine or to its reader, instead of telling of a change.

What stands in such a text is no source of anything: otherwise a model that was talked into repeating it
would have its sentence borne out by the very attack.
"""

import re
import unicodedata
from functools import cache, lru_cache

from lib import words
from writers.ledger_words import lines

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝАВЕКМНОРСТУХІЈЅαεορυνικτΑΒΕΖΗΙΚΜΝΟΡΤΥΧı０１３４５７",
    "aeopcyxijsdhqwABEKMHOPCTYXIJSaeopuviktABEZHIKMNOPTYXi013457",
)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{line})" for line in lines("orders")), re.IGNORECASE)


@lru_cache(maxsize=10_000)
def is_order(text: str) -> bool:
    """Whether the text speaks to a machine, or sends its reader somewhere; also where that is hidden behind
    look-alike letters, invisible characters, spaces between letters or underscores."""
    plain = words.one_line(unicodedata.normalize("NFKC", "".join(filter(_is_seen, text))))
    folded = plain.translate(_LOOKALIKES)
    closed = re.sub(r"\b(?:\w[ ._*~-]){5,}\w\b", lambda found: re.sub(r"[ ._*~-]", "", found[0]), folded)
    joined = re.sub(r"(?<=\w)[_*~`]+(?=\w)", " ", folded)
    marked = re.sub(r"[*_~`\"'“”‘’]+", "", folded)
    return any(_pattern().search(form) for form in {plain, folded, closed, joined, marked})


def _is_seen(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Mn")
