"""Checks requests and answers against an OpenAPI 3.0 description (openapis.org, 3.0.3), with `jsonschema`.

Knows what GitHub's description uses: path, query and body schemas with `nullable`, references inside the
description, and GitHub's own mark for path parameters that may contain slashes.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = dict[str, Any]
_BASE = "urn:described"
_formats = FormatChecker(())


@_formats.checks("date-time", ValueError)
def _is_instant(text: object) -> bool:
    """RFC 3339, as GitHub writes and reads it."""
    if not isinstance(text, str):
        return True
    whole = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    return bool(whole and datetime.fromisoformat(text))


@_formats.checks("uri", ValueError)
def _is_address(text: object) -> bool:
    return not isinstance(text, str) or bool(urlsplit(text).scheme)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    pattern: re.Pattern[str]
    parameters: dict[tuple[str, str], Json]
    responses: Json


class Description:
    """`document`: the decoded description."""

    def __init__(self, document: Json) -> None:
        whole = _without_nullable(document)
        self._registry = Registry().with_resource(_BASE, Resource(whole, DRAFT202012))
        self._document = whole
        operations = [
            self._operation(method, path, item)
            for path, methods in whole["paths"].items()
            for method, item in methods.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]
        # Of two that fit, the one with more fixed words is meant.
        self.operations = sorted(operations, key=lambda o: len(re.sub(r"\{\w+\}", "", o.path)), reverse=True)
        self._validators: dict[str, Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> Operation | None:
        for operation in self.operations:
            if operation.method == method.lower() and operation.pattern.fullmatch(path):
                return operation
        return None

    def request_faults(self, method: str, path: str, query: dict[str, str]) -> list[str]:
        """What is wrong with a request; the path as it was sent, still quoted."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: no such path"]
        found = operation.pattern.fullmatch(path)
        assert found is not None
        given = {("path", name): unquote(value) for name, value in found.groupdict().items()}
        given |= {("query", name): value for name, value in query.items()}
        faults = [
            f"{method} {operation.path}: no parameter {name} in the {place}"
            for place, name in given
            if (place, name) not in operation.parameters
        ]
        for (place, name), parameter in operation.parameters.items():
            text = given.get((place, name))
            if text is None:
                if parameter.get("required"):
                    faults.append(f"{method} {operation.path}: {name} is missing")
                continue
            if fault := self._fault(parameter["schema"], _cast(text, parameter["schema"])):
                faults.append(f"{method} {operation.path}: {name} is {text}: {fault}")
        return faults

    def answer_faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer to a request that is described."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: no such path"]
        response = operation.responses.get(str(status))
        if response is None:
            return [f"{method} {operation.path}: {status} is no answer"]
        schema = self._resolved(response).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        fault = self._fault(schema, body)
        return [f"{method} {operation.path}: answer {status}: {fault}"] if fault else []

    def fault_of(self, name: str, body: Any) -> str | None:
        """What is wrong with a body, by a schema's name among the components."""
        return self._fault({"$ref": f"#/components/schemas/{name}"}, body)

    def _operation(self, method: str, path: str, item: Json) -> Operation:
        parameters = {}
        for raw in item.get("parameters", ()):
            parameter = self._resolved(raw)
            parameters[parameter["in"], parameter["name"]] = parameter
        parts = re.split(r"\{([\w-]+)\}", path)
        pattern = ""
        for number, part in enumerate(parts):
            if number % 2:
                wide = parameters["path", part].get("x-multi-segment")
                pattern += f"(?P<{part}>{'.+' if wide else '[^/]+'})"
            else:
                pattern += re.escape(part)
        return Operation(method, path, re.compile(pattern), parameters, item["responses"])

    def _resolved(self, node: Json) -> Json:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    def _fault(self, schema: Json, value: Any) -> str | None:
        key = repr(schema)
        if key not in self._validators:
            placed = (
                {"$id": _BASE + ":part", "$ref": _BASE + schema["$ref"]}
                if "$ref" in schema
                else _placed(schema)
            )
            self._validators[key] = Draft202012Validator(
                placed, registry=self._registry, format_checker=_formats
            )
        error = best_match(self._validators[key].iter_errors(value))
        if error is None:
            return None
        return f"{error.json_path}: {error.message[:200]}"


def _placed(node: Any) -> Any:
    """A piece of the description that still finds what it refers to."""
    if isinstance(node, list):
        return [_placed(child) for child in node]
    if isinstance(node, dict):
        return {
            key: _BASE + value if key == "$ref" and isinstance(value, str) else _placed(value)
            for key, value in node.items()
        }
    return node


def _cast(text: str, schema: Json) -> Any:
    """A parameter's text as the value that its schema means; the text itself where it is none such."""
    types = {schema.get("type"), *(one.get("type") for one in schema.get("oneOf", ()))}
    if "integer" in types and re.fullmatch(r"-?\d+", text):
        return int(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    return text


def _without_nullable(node: Any) -> Any:
    """3.0's `nullable` as JSON Schema says it. Examples are left out: they are no schemas."""
    if isinstance(node, list):
        return [_without_nullable(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _without_nullable(value)
        for key, value in node.items()
        if key not in ("nullable", "example", "examples")
        or (key == "nullable" and isinstance(value, dict))
        or (key in ("example", "examples") and isinstance(value, dict) and "type" in value)
    }
    return {"anyOf": [{"type": "null"}, plain]} if node.get("nullable") is True else plain
