"""What a look at a source finds, before anything is read."""

from dataclasses import dataclass

from models.values import Seen


@dataclass(frozen=True, slots=True)
class Checked:
    """`works`: a run can read all it needs. `sentence`: that, or what is wrong and what helps. `lacks`: what
    the token may not do, as GitHub names it (`issues=read`, or the scope `repo`). `seen`: what was learned
    about the repository, None where nothing was."""

    works: bool
    sentence: str
    lacks: tuple[str, ...] = ()
    seen: Seen | None = None
