"""Words as the ledger compares them: stems, synonyms among developers, and what needs no source."""

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from pathlib import Path

_LISTS = Path(__file__).resolve().parent / "wordlists"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_VOWEL = re.compile(r"[aeiouy]")

_ALIASES = {
    "app": "application", "apps": "application", "arg": "argument", "args": "argument",
    "auth": "authentication",
    "config": "configuration", "configs": "configuration", "db": "database", "dbs": "database",
    "dep": "dependency", "deps": "dependency", "dev": "development", "dir": "directory", "dirs": "directory",
    "doc": "documentation", "docs": "documentation", "env": "environment", "err": "error", "exc": "exception",
    "fn": "function", "func": "function", "impl": "implementation", "info": "information", "init": "initial",
    "js": "javascript", "kwarg": "argument", "kwargs": "argument", "lib": "library", "libs": "library",
    "msg": "message", "msgs": "message", "param": "parameter", "params": "parameter", "perf": "performance",
    "pkg": "package", "prod": "production", "pr": "pull", "prs": "pull", "py": "python", "readme": "readme",
    "ref": "reference", "refs": "reference", "regex": "regular", "repo": "repository", "req": "requirement",
    "spec": "specification", "tz": "timezone", "ts": "typescript", "tsx": "typescript", "typo": "spelling",
    "typos": "spelling", "util": "utility", "utils": "utility", "var": "variable", "vars": "variable",
    "ver": "version", "yml": "yaml", "behaviour": "behavior", "colour": "color", "broke": "break",
    "broken": "break", "built": "build", "sent": "send", "wrote": "write", "rewrote": "rewrite",
    "written": "write", "ran": "run", "kept": "keep", "rst": "documentation", "md": "documentation",
    "asynchronous": "async", "rb": "ruby", "rs": "rust", "vulnerabilities": "vulnerability",
    "ui": "interface", "optimise": "optimize", "optimised": "optimize", "optimisation": "optimize",
}  # fmt: skip
"""What developers write for one another; also irregular forms, and what file endings say."""

_ENDINGS = (
    "ization", "isation", "ational", "ation", "ition", "ability", "ibility", "ement", "ment", "ness", "able",
    "ible", "ance", "ence", "ive", "ion", "ity", "ally", "ly", "al", "er", "or", "ate", "ize", "ise",
)  # fmt: skip


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """What a word has in common with its other forms: `configured`, `configuration` and `configs` are one.

    Deliberately coarse, for words are only ever compared: a true sentence in other words than its source's
    must pass, and the inventions that matter share no stem with it.
    """
    low = word.casefold().replace("’", "'")
    low = low.removesuffix("'s").removesuffix("'")
    low = _ALIASES.get(low, low)
    if len(low) <= 3 or not low.isascii():
        return low
    low = _inflected(low)
    while ending := next((e for e in _ENDINGS if low.endswith(e) and len(low) - len(e) >= 4), ""):
        low = low[: -len(ending)]
    return low.removesuffix("e") if len(low) > 3 else low


def _inflected(low: str) -> str:
    """Without the endings of plural, past and participle."""
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    if re.search(r"(?:x|ch|sh|ss|zz)es$", low):
        return low[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is")):
        low = low[:-1]
    if low.endswith("ied") and len(low) > 4:
        return low[:-3] + "y"
    for ending in ("ing", "ed"):
        rest = low.removesuffix(ending)
        if rest != low and len(rest) >= 3 and _VOWEL.search(rest):
            if len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz":
                return rest[:-1]
            return f"{rest}e" if rest.endswith(("at", "iz")) else rest
    return low


def parts(text: str) -> Iterator[str]:
    """The words of a text; `camelCase`, `snake_case` and paths also in their parts."""
    for found in _WORD.finditer(text):
        word = found[0]
        yield word
        if not word.islower() and not word.istitle():
            yield from _CAMEL.findall(word)


def stems(text: str) -> frozenset[str]:
    """The stems of a text's words."""
    return frozenset(stem(word) for word in parts(text))


def has(known: Collection[str], word: str) -> bool:
    """Whether a word, or a longer or shorter form of it, is among the stems."""
    wanted = stem(word)
    if wanted in known:
        return True
    return len(wanted) > 3 and any(_alike(wanted, other) for other in known)


@lru_cache(maxsize=200_000)
def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    spare = len(long) - len(short)
    return long.startswith(short) and spare <= (5 if len(short) > 4 else 2)


@cache
def lines(name: str) -> tuple[str, ...]:
    """The lines of a word list that are no comments."""
    text = (_LISTS / f"{name}.txt").read_text("utf-8")
    return tuple(line.strip() for line in text.split("\n") if line.strip() and not line.startswith("# "))


@cache
def common() -> frozenset[str]:
    """The stems that need no source."""
    words = " ".join(lines("common")).split()
    return frozenset(stem(word) for word in words).union(words)


@cache
def topics() -> frozenset[str]:
    """Tags that need no source."""
    return frozenset(" ".join(lines("topics")).split())
