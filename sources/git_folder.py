"""Where a local repository lies: under GIT_ROOT with all its parts, or it is refused."""

import os
from collections.abc import Iterator
from pathlib import Path

from lib.codes import Code
from sources.base import SourceError

ALTERNATES_MAX = 5
"""How many repositories may stand behind each other; git itself follows as many."""


def resolve(path: str, root: Path | None) -> Path:
    """The folder of a git repository under `root`, links followed.

    `path`: relative to `root`, or absolute. `root`: GIT_ROOT, the only folder where repositories may lie.
    Raises SourceError (for good) with one sentence fit to stand beside the field that `path` was typed into.
    """
    if root is None:
        raise refusal("Local repositories are off: GIT_ROOT must name the folder they lie in.")
    if not path.strip() or "\0" in path:
        raise refusal("Give the folder of a git repository.")
    if ".." in Path(path).parts:
        raise refusal("The path must not contain '..'.")
    root = root.resolve()
    folder = _inside(root, root / path.strip())
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise refusal(f"There is no folder {path.strip()[:200]} under GIT_ROOT.", Code.REPOSITORY_GONE)
    git_dir(folder, root)
    return folder


def refusal(sentence: str, code: Code = Code.FOLDER_REFUSED) -> SourceError:
    """An error that waiting does not mend."""
    return SourceError(sentence, permanent=True, code=code)


def git_dir(folder: Path, root: Path) -> Path:
    """Where the repository in `folder` lives: `.git`, what a `.git` file points to, or itself if it is bare.

    Raises SourceError (for good) when `folder` holds no repository, or one whose parts lie outside `root`,
    borrowed ones included (gitrepository-layout, objects/info/alternates).
    """
    found = folder
    try:
        if (folder / ".git").exists():
            found = _inside(root, folder / ".git")
            if found.is_file():
                found = _inside(root, folder / _first(found).removeprefix("gitdir: "))
        home = common(found)
        _inside(root, home)
        for part in (found / "HEAD", home / "refs", home / "packed-refs"):
            _inside(root, part)
        _objects(root, home / "objects")
        whole = (found / "HEAD").exists() and (home / "objects").is_dir() and (home / "refs").is_dir()
    except (OSError, UnicodeDecodeError):
        whole = False
    if not whole:
        raise refusal(f"{folder.name} is not a git repository.", Code.REPOSITORY_GONE)
    return found


def common(found: Path) -> Path:
    """What linked work trees share: the repository's own folder. Raises OSError."""
    named = found / "commondir"
    return found / _first(named) if named.is_file() else found


def _first(file: Path) -> str:
    with file.open() as opened:
        return opened.read(4096).strip()


def _inside(root: Path, path: Path) -> Path:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        raise refusal("The path cannot be followed to its end.") from None
    if not real.is_relative_to(root):
        raise refusal("The path leads outside GIT_ROOT.")
    return real


def _objects(root: Path, folder: Path, depth: int = 0) -> None:
    """Refuses objects that lie outside `root`, by a link or by being another repository's."""
    _inside(root, folder)
    if depth > ALTERNATES_MAX:
        raise refusal("The repository borrows objects through too many others.")
    for link in _links(folder):
        _inside(root, link)
    alternates = folder / "info" / "alternates"
    for line in alternates.read_text().splitlines() if alternates.is_file() else ():
        # Git would unquote such a name; a folder that needs quotes is not worth the way round.
        if line.startswith('"'):
            raise refusal("The repository borrows objects from a folder whose name git must quote.")
        if line and not line.startswith("#"):
            try:
                _objects(root, folder / line, depth + 1)
            except SourceError:
                raise refusal("The repository borrows objects from outside GIT_ROOT.") from None


def _links(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                yield from _links(Path(entry.path))
