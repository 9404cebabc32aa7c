"""Untrusted text made readable and harmless: commit titles, pull request bodies, names, addresses."""

import re
from functools import lru_cache
from urllib.parse import quote

from lib import words
from writers.ledger_orders import is_order

TITLE_MAX = 140
"""Characters of a change's title in a list."""

LINE_MAX = 1_000
"""Characters of a title or sentence that are looked at: patterns take the square of it."""

NAME_MAX = 60
"""Characters of a person's name."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\]]*)\](?:\(\s*<?[^)]*\)|\[[^\]]*\])")
_TOP = "com|net|org|io|dev|app|ai|co|me|info|biz|xyz|ru|cn|link|click|top|site|online|shop|example"
_ADDRESS = re.compile(
    r"<?(?:(?<![a-z\d+.-])[a-z\d+.-]+://|www\.|\b(?:mailto|javascript|data):(?=\S))[^\s<>)\]]*>?"
    rf"|(?<![\w.-])\.*(?:[\w-]+\.)+(?:{_TOP})/[^\s<>)\]]*",
    re.I,
)
_MAIL = re.compile(r"<?[\w.+-]+@[\w-]+(?:\.[\w-]+)+>?")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CODE = re.compile(r"`+([^`]+)`+")
_IDENTIFIER = re.compile(
    r"(?<![\w`/.@-])(?:"
    r"--[a-z][\w-]*"
    r"|@[\w-]+(?:[./][\w-]+)*"
    r"|[\w.]*[A-Za-z\d]_\w+(?:\(\))?"
    r"|\.?[A-Za-z][\w.]*\(\)"
    r"|[A-Za-z]\w*\[\w+\]"
    r"|\.?(?:[\w.-]+/)*[\w-]+\.(?:py|pyi|js|ts|tsx|jsx|md|rst|toml|json|ya?ml|cfg|ini|txt|go|rs|rb|html|css|lock|sh|sql)"
    r")(?![\w`/])"
)
_SPECIAL = re.compile(r"([\\`*_\[\]~|])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_BLOCK = re.compile(r"([#>+=-]|\d+(?=[.)](?:\s|$)))")
_SENTENCE = re.compile(r"(?<=[\w)`\"'])[.!?]\s+(?=[A-Z\"'(])")
_RUDE = re.compile(
    r"\b(?:\w*fuck\w*|(?:bull)?shit\w*|crap\w*|damn\w*|asshole\w*|wtf|bitch\w*|cunt\w*)\b", re.I
)
_PAST = {
    "add": "Added", "adjust": "Adjusted", "allow": "Allowed", "avoid": "Avoided", "bump": "Bumped",
    "clarify": "Clarified", "clean": "Cleaned", "convert": "Converted", "correct": "Corrected", "create":
    "Created", "delete": "Deleted", "deprecate": "Deprecated", "disable": "Disabled", "drop": "Dropped",
    "enable": "Enabled", "expand": "Expanded", "expose": "Exposed", "extend": "Extended", "extract":
    "Extracted", "fix": "Fixed", "handle": "Handled", "implement": "Implemented", "improve": "Improved",
    "include": "Included", "increase": "Increased", "introduce": "Introduced", "kill": "Removed", "make":
    "Made", "merge": "Merged", "migrate": "Migrated", "move": "Moved", "optimize": "Optimized", "optimise":
    "Optimised", "prevent": "Prevented", "provide": "Provided", "reduce": "Reduced", "refactor":
    "Refactored", "remove": "Removed", "rename": "Renamed", "reorganize": "Reorganized", "reapply":
    "Reapplied", "replace": "Replaced", "restore": "Restored", "revert": "Reverted", "rewrite": "Rewrote",
    "simplify": "Simplified", "skip": "Skipped",
    "split": "Split", "stop": "Stopped", "switch": "Switched", "tidy": "Tidied", "update": "Updated",
    "upgrade": "Upgraded", "validate": "Validated",
}  # fmt: skip
_NAMES = {
    name.lower(): name
    for name in ("Django", "Docker", "GitHub", "JavaScript", "macOS", "MySQL", "PostgreSQL", "Python",
                 "SQLite", "TypeScript")
} | {"impl": "implementation", "deps": "dependencies"}  # fmt: skip
"""Names as those who made them write them, and abbreviations spelt out."""
_NAME = re.compile(rf"(?<![\w`./@:-])(?:{'|'.join(map(re.escape, _NAMES))})(?![\w`/@:-]|\.\w)")
_AND_MORE = re.compile(r"(?<=.{20}) \+ (?=[a-z]{3})")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_STARRED = re.compile(r"(?<![\w*`])\*{1,2}[A-Za-z_]\w*")
_REF = re.compile(r"\[((?:PR|I|C|R)[\w.+/-]*\d[\w.+/-]*(?:[,; ]+[\w.+/-]+)*|[\w.+/-]*WINDOW[\w.+/-]*)\]")
_MENTION = re.compile(r"(?<![\w/])[@＠]+(?=[\w-]+(?![\w-]*[(./]))")
_PERSON = re.compile(r"(?=.*[^\W_])[\w .,'’&()-]+")
_NOUN_FOLLOWS = re.compile(r"\s+(?:for|of|in|on|from|and|to)\b", re.I)


def clean(text: str) -> str:
    """One line without markup that hides or leads away: comments, tags, images, addresses of all kinds."""
    text = _COMMENT.sub(" ", text[:LINE_MAX])
    text = _LINK.sub(r"\1", _IMAGE.sub(" ", text))
    text = words.one_line(text)
    parts = re.split(r"(`+[^`]+`+)", text)
    kept = [part if i % 2 else _TAG.sub(" ", part) for i, part in enumerate(parts)]
    return _without_addresses("".join(kept))


def _without_addresses(text: str) -> str:
    """Taking one address out can join what stood around it to another: again until nothing changes."""
    before = None
    while text != before:
        before = text
        text = " ".join(_MAIL.sub(" ", _ADDRESS.sub(" ", text)).split())
        text = re.sub(
            r"(?<![\w\])])\(\s*\)", "", re.sub(r"\s+([,.;:!?)])(?=[\s,.;:!?)]|$)", r"\1", text)
        ).strip()
        text = text.replace("://", ": ")
    return text


@lru_cache(maxsize=10_000)
def subject(title: str) -> str:
    """What a commit's or pull request's title says: without number, prefix, full stop and later sentences."""
    prefix = words.conventional(re.sub(r"\s*\(#\d+\)$", "", clean(title)))
    rest = _SENTENCE.split(prefix.rest, maxsplit=1)[0].strip()
    rest = _AND_MORE.split(rest)[0]
    rest = rest if rest.endswith("...") else rest.rstrip(" .;:,")
    rest = _NAME.sub(lambda found: _NAMES[found[0]], rest)
    if prefix.scope and prefix.scope.casefold() not in rest.casefold():
        rest = f"{prefix.scope}: {rest}"
    return words.cut(rest, TITLE_MAX) if re.search(r"\w", rest) else ""


def told(title: str, *, past: bool) -> str:
    """The same with a capital letter; with `past`, `Add x` becomes `Added x` where that is safe."""
    text = subject(title)
    verb = _past(text) if past else ""
    return f"{verb} {text.split(' ', 1)[1]}" if verb else capital(text)


def is_imperative(title: str) -> bool:
    """Whether the title is an order (`Add x`) that `told` can put in the past."""
    return bool(_past(subject(title)))


def _past(text: str) -> str:
    first, _, rest = text.partition(" ")
    # `Fix for x` is a noun; `Fix up x` is not.
    return _PAST.get(first.lower(), "") if rest and not _NOUN_FOLLOWS.match(" " + rest) else ""


def capital(text: str) -> str:
    """With a capital letter first, unless the first word is a name of code."""
    first = text.split(" ", 1)[0]
    is_code = bool(re.search(r"[_`().\d/:]|[a-z][A-Z]", first.rstrip(".:,")))
    return text if is_code else text[:1].upper() + text[1:]


def lowered(said: str) -> str:
    """With a small letter first where the first word is an order (`Update x`)."""
    return said[:1].lower() + said[1:] if _past(said) else said


@lru_cache(maxsize=10_000)
def is_unfit(said: str) -> bool:
    """Whether it swears, or gives orders to a machine or to its reader; its change is counted, but not
    quoted.
    """
    return bool(_RUDE.search(said)) or is_order(said[:LINE_MAX])


def prose(said: str) -> str:
    """Cleaned text for a sentence of a manuscript: code stays code, and nothing else in it is markup or a
    ref.
    """
    parts = re.split(r"(`+[^`]+`+)", _BOLD.sub(r"\1", said))
    return "".join(_CODE.sub(r"`\1`", part) if i % 2 else _inert(part) for i, part in enumerate(parts))


def _inert(said: str) -> str:
    said = _STARRED.sub(lambda found: f"`{found[0]}`", _MENTION.sub("", said.replace("`", "'")))
    parts = re.split(r"(`[^`]+`)", said)
    parts[::2] = [_IDENTIFIER.sub(_as_code, _REF.sub(r"(\1)", p)).replace("**", "") for p in parts[::2]]
    return "".join(parts)


def _as_code(found: re.Match[str]) -> str:
    name = found[0].rstrip(".")
    return f"`{name}`{found[0][len(name) :]}"


def markdown(text: str) -> str:
    """Cleaned text as Markdown that shows exactly that text: names of code as code, nothing else acts."""
    parts = re.split(r"(`+[^`]+`+)", text)
    made = [code(_CODE.sub(r"\1", part)) if i % 2 else _named(part) for i, part in enumerate(parts)]
    return _BLOCK.sub(r"\\\1", "".join(made), count=1) if _BLOCK.match("".join(made)) else "".join(made)


def _named(text: str) -> str:
    pieces, last = [], 0
    for found in _IDENTIFIER.finditer(text):
        name = found[0].rstrip(".")
        pieces += [_escaped(text[last : found.start()]), code(name)]
        last = found.start() + len(name)
    return "".join([*pieces, _escaped(text[last:])])


def _escaped(text: str) -> str:
    text = _ENTITY.sub("&amp;", _SPECIAL.sub(r"\\\1", text.replace("`", "'"))).replace("<", "&lt;")
    # Mentions; and what Dev.to's template language would execute, even in the middle of a word.
    return text.replace("@", "&#64;").replace("{{", "&#123;&#123;").replace("{%", "&#123;%")


def code(text: str) -> str:
    """A code span; escaped text where Dev.to would execute what is in it, as it does inside code too."""
    inner = words.one_line(text).replace("`", "'").strip()
    if "{{" in inner or "{%" in inner:
        return _escaped(clean(inner))
    return f"`{inner}`" if inner else ""


def plain(text: str) -> str:
    """Cleaned text where nothing is marked up and nobody is mentioned."""
    text = _CODE.sub(r"\1", text).replace("`", "'")
    return " ".join(re.sub(r"(?<!\w)@+(?=\w)", "", text.replace("**", "")).split())


def name(text: str) -> str:
    """A person's name as it may stand in a sentence; empty for what looks like none, or like more than a
    name.
    """
    called = words.one_line(text)
    is_name = len(called) <= NAME_MAX and _PERSON.fullmatch(called) and not is_unfit(called)
    return called if is_name and clean(called) == called else ""


def link(label: str, url: str | None, home: str | None) -> str:
    """`label` (Markdown already) as a link, if `url` lies under the repository's own `home`; else `label`
    alone.
    """
    if not url or not home or not (url == home or url.startswith(home.rstrip("/") + "/")):
        return label
    return f"[{label}]({quote(url, safe=':/#?&=%+~@,;!$-._')})"
