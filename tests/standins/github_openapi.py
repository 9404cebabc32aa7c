"""Holds what goes between the client and GitHub's stand-in against GitHub's own description.

What that leaves out and github/docs or recordings tell is listed here, with the reason.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.standins.openapi import Description
from tests.standins.server import Answer, Request

Json = dict[str, Any]
UNDESCRIBED = {
    301: "every path of a renamed repository",
    304: "every GET that names an ETag",
    400: "a version of the API that is not known",
    401: "a token that is not valid, everywhere",
    403: "limits and missing permissions, everywhere",
    404: "everything of a repository that is not shown",
    410: "issues that are switched off",
    422: "parameters that are not understood",
}
FULLY, THEN_EACH = 150, 50
"""Of each kind of answer so many are checked, and then one of so many."""


class Conformity:
    """`faults` holds what broke the description; `asked` counts operations by method and path."""

    def __init__(self, document: Json) -> None:
        self.description = Description(document)
        self.faults: list[str] = []
        self.asked: Counter[str] = Counter()
        self.answers = 0
        self._seen: Counter[tuple[str, int]] = Counter()
        self._known: set[tuple[str, str, str]] = set()

    def watch(self, request: Request, answer: Answer, *, always: bool = False) -> None:
        """Check one exchange. An answer that cut the connection or was not JSON is none of the stand-in's."""
        path = described(request.path)
        operation = self.description.operation(request.method, path)
        name = f"{request.method} {operation.path if operation else path}"
        self.asked[name] += 1
        query = json.dumps(request.query, sort_keys=True)
        if (name, path, query) not in self._known:
            self._known.add((name, path, query))
            self.faults += self.request_faults(request)
        if operation is None or answer.drop:
            return
        self._seen[name, answer.status] += 1
        count = self._seen[name, answer.status]
        if always or count <= FULLY or count % THEN_EACH == 0:
            self.answers += 1
            self.faults += self.answer_faults(request, answer)

    def request_faults(self, request: Request) -> list[str]:
        faults = self.description.request_faults(request.method, described(request.path), request.query)
        size = request.query.get("per_page", "30")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            faults.append(f"{request.path}: per_page is {size}, from 1 to 100 are allowed")
        if "/compare/" in request.path and "..." not in request.path:
            faults.append(f"{request.path}: two ends with three dots between them are compared")
        return faults

    def answer_faults(self, request: Request, answer: Answer) -> list[str]:
        path = described(request.path)
        operation = self.description.operation(request.method, path)
        if operation is None or str(answer.status) in operation.responses:
            return self.description.answer_faults(request.method, path, answer.status, answer.body)
        if answer.status not in UNDESCRIBED:
            return [f"{path}: {answer.status} is no answer"]
        fault = None if answer.status == 304 else self.description.fault_of("basic-error", answer.body)
        return [f"{path}: {answer.status}: {fault}"] if fault else []


def described(path: str) -> str:
    """The address as the description has it: an Enterprise Server's prefix away, and GitHub's links, which
    name a repository by its number, as by its name."""
    path = path.removeprefix("/api/v3")
    return re.sub(r"^/repositories/\d+", "/repos/owner/repo", path)


def load(folder: Path) -> Json:
    """GitHub's description, from the folder of the contracts."""
    document: Json = json.loads((folder / "github-openapi-subset.json").read_text())
    return document
