"""Tags from what a digest shows of languages and tools."""

import re
from collections import Counter
from pathlib import PurePosixPath

from models.values import Digest

_LANGUAGES = {
    ".py": "python", ".ts": "typescript", ".tsx": "typescript", ".js": "javascript", ".jsx": "javascript",
    ".mjs": "javascript", ".go": "go", ".rs": "rust", ".rb": "ruby", ".java": "java", ".kt": "kotlin",
    ".php": "php", ".cs": "csharp", ".cpp": "cpp", ".cc": "cpp", ".c": "c", ".swift": "swift",
    ".scala": "scala", ".ex": "elixir", ".exs": "elixir", ".hs": "haskell", ".dart": "dart", ".lua": "lua",
    ".vue": "vue", ".svelte": "svelte", ".sql": "sql", ".sh": "bash", ".zig": "zig", ".jl": "julia",
}  # fmt: skip
_TOOLS = (
    ("typescript", re.compile(r"\btypescript\b|tsconfig\.json$", re.I)),
    ("python", re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.py)$")),
    ("django", re.compile(r"\bdjango\b", re.I)),
    ("flask", re.compile(r"\bflask\b", re.I)),
    ("fastapi", re.compile(r"\bfastapi\b", re.I)),
    ("react", re.compile(r"\breact\b", re.I)),
    ("node", re.compile(r"\bnode(?:\.?js)?\b|(?:^|/)package\.json$", re.I)),
    ("docker", re.compile(r"\bdocker(?:file)?\b", re.I)),
    ("postgres", re.compile(r"\bpostgres(?:ql)?\b", re.I)),
    ("redis", re.compile(r"\bredis\b", re.I)),
    ("githubactions", re.compile(r"^\.github/workflows/|\bgithub actions\b", re.I)),
    ("cicd", re.compile(r"\bCI/CD\b", re.I)),
)
_DEFAULT = ("programming", "softwaredevelopment")


def tags(digest: Digest, name: str, most: int) -> tuple[str, ...]:
    """At most `most`, lower-case letters and digits only, so that every platform takes them: the main
    languages, the tools that several changes or any title speak of, the repository's own name,
    `opensource` if it has a home.
    """
    languages: Counter[str] = Counter()
    tools: Counter[str] = Counter()
    for item in (item for item in digest.items if not item.is_routine):
        for path in item.files:
            languages[_LANGUAGES.get(PurePosixPath(path).suffix.lower(), "")] += 1
        if item.category == "upkeep":
            continue
        for tag, pattern in _TOOLS:
            tools[tag] += 3 * bool(pattern.search(item.title)) + any(
                pattern.search(path) for path in item.files
            )
    del languages[""]
    main = [tag for tag, count in languages.most_common(2) if count * 4 >= languages.total()]
    used = [tag for tag, count in tools.most_common() if count >= 2 and tag not in main]
    own = re.sub(r"[^a-z0-9]", "", name.lower())[:30]
    is_name = name.isascii() and not own.isdigit()  # else letters would be lost, or none be there
    found = [
        *main,
        *used[:2],
        *(["opensource"] if digest.url else []),
        *([own] if len(own) > 2 and is_name else []),
    ]
    found = list(dict.fromkeys(found))
    return tuple(dict.fromkeys([*found, *_DEFAULT]))[: min(most, max(2, len(found)))]
