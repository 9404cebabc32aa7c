"""What the recorded weeks come to, item by item, as read from the repositories' histories with git itself."""

from typing import NamedTuple


class Expected(NamedTuple):
    """One item: its reference, how many commits it stands for besides a commit that it is itself, the issues
    that it closes, and who is named."""

    ref: str
    folded: int = 0
    closes: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


CHARLES, DAVID, PETERIS = ("Charles Leifer",), ("David Lord",), ("Pēteris Caune",)

# Each commit of the week stands for itself, but for the two called `CL update` and the merged fork's branch.
HUEY = (
    Expected("R3.2.1"),
    Expected("R3.2.0"),
    Expected("PR903", 2, people=("maxtaran2010",)),  # 88b9f8b merged 9500ca3
    Expected("C694e191", 1, people=CHARLES),  # CL update, as 6d61095 before it
    *(
        Expected(f"C{sha}", people=CHARLES)
        for sha in (
            *("42df37f", "85c2655", "47564bc", "c876d81", "0ac6280", "5fd4961", "2e42302", "60436dc"),
            *("71926a7", "e49a9d1", "ef9fbe6", "a3d3a49", "43c626f", "1403deb", "332a0eb", "4bc00f8"),
            *("596e84b", "8ea850f", "8b83a46", "cb15d1f", "cb7f0b7", "539140f", "95c16f3", "f5af517"),
            *("0ea4c75", "1e58864", "9909df9", "3c999cc", "1548ebb", "5cbc252", "2c0d008", "1acc275"),
            *("44f76b8", "822cb24", "6b2b027", "d83d054", "0b01a2f", "b1c4ad4"),
        )
    ),
)
HEALTHCHECKS = (
    Expected("Rv3.11.2"),
    Expected("C3fcd626", closes=("I1210",), people=PETERIS),
    Expected("Cfc99eda", people=PETERIS),
)
# `git log --first-parent` and each merge's second parent; the branch of 5723 was written before the week.
FLASK = (
    Expected("R3.1.2"),
    Expected("PR5800", 2, people=DAVID),
    Expected("PR5795", 2, people=("Grant Birkinbine",)),
    Expected("PR5736", 3, people=(*DAVID, "kadai0308")),
    Expected("PR5799", 2, people=DAVID),
    Expected("PR5798", 2, people=DAVID),
    Expected("PR5777", 2, people=("Tero Vuotila",)),
    Expected("PR5742", 2, people=("Badhreesh",)),
    Expected("PR5723", 1),
    Expected("PR5797", 2, people=DAVID),
    Expected("C55c6255", people=DAVID),
    Expected("Cd8259eb", people=DAVID),
    Expected("Cff64079", people=DAVID),
    Expected("C5addaf8", people=DAVID),
)
MERGES_OF_BRANCHES = {"flask": ("3301232",)}  # Merge branch 'stable'
LISTS = {"huey": HUEY, "healthchecks": HEALTHCHECKS, "flask": FLASK}
