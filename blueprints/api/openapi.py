"""The description of the API, made from the views' operations and their models."""

import re
from http import HTTPStatus
from typing import Any

from flask import current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from blueprints.access import SAFE
from blueprints.api.frame import api
from blueprints.api.operation import Operation, operation, operation_of
from blueprints.shapes import View

Schema = dict[str, Any]
REF = "#/components/schemas/{model}"
ERROR: Schema = {
    "type": "object",
    "required": ["success", "error", "details"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string", "description": "One sentence."},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "data": {"description": "With 409, the execution in the way, or the draft as it stands."},
    },
}
INFO = {
    "title": "Repocast",
    "version": "1",
    "description": "Instants are UTC with milliseconds, durations milliseconds.",
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "session"},
}


@api.get("/openapi.json")
@operation("This description", public=True)
def openapi() -> Response:
    return jsonify(document())


def document() -> Schema:
    """OpenAPI 3.1, of the running application."""
    found = _operations()
    paths: dict[str, Schema] = {}
    for rule, method, described in found:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _described(rule, method, described)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SCHEMES],
        "paths": paths,
        "components": {"schemas": _schemas(found) | {"Error": ERROR}, "securitySchemes": SCHEMES},
    }


def _operations() -> list[tuple[Rule, str, Operation]]:
    """Every call of the API; each has an operation, or this raises KeyError."""
    found = []
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint.startswith(f"{api.name}."):
            described = operation_of(current_app.view_functions[rule.endpoint])
            if described is None:
                raise KeyError(rule.endpoint)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found += [(rule, method, described) for method in sorted(methods)]
    return found


def _schemas(found: list[tuple[Rule, str, Operation]]) -> Schema:
    wanted: dict[type[BaseModel], JsonSchemaMode] = {}
    for _, _, described in found:
        if described.body is not None:
            wanted[described.body] = "validation"
        answers = [described.answer, *described.also.values()]
        wanted |= {model: "serialization" for model in answers if model is not None}
    _, schema = models_json_schema(list(wanted.items()), ref_template=REF)
    return dict(schema["$defs"])


def _described(rule: Rule, method: str, described: Operation) -> Schema:
    shown: Schema = {
        "operationId": rule.endpoint.partition(".")[2],
        "summary": described.summary,
        "parameters": _parameters(rule, described),
        "responses": _responses(rule, method, described),
    }
    if described.body is not None:
        shown["requestBody"] = {
            "required": not described.may_be_empty,
            "content": _json(_reference(described.body)),
        }
    if described.public:
        shown["security"] = []
    return shown


def _parameters(rule: Rule, described: Operation) -> list[Schema]:
    text = {"type": "string"}
    shown = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in sorted(rule.arguments)
    ]
    if described.query is not None:
        schema = described.query.model_json_schema()
        for name, about in schema["properties"].items():
            shown.append({"name": name, "in": "query", "required": False, "schema": _inline(about, schema)})
    return shown


def _inline(about: Schema, schema: Schema) -> Schema:
    """A parameter's schema in one piece: it cannot be null, and refers to nothing."""
    kinds = [kind for kind in about.get("anyOf", [about]) if kind.get("type") != "null"]
    if "$ref" in kinds[0]:
        return dict(schema["$defs"][kinds[0]["$ref"].rpartition("/")[2]])
    default = {"default": about["default"]} if about.get("default") is not None else {}
    return {**kinds[0], **default}


def _responses(rule: Rule, method: str, described: Operation) -> Schema:
    shown = {str(described.status): {"description": "Done.", "content": _success(described)}}
    for status in sorted(_errors(rule, method, described)):
        about = HTTPStatus(status).phrase
        shown[str(status)] = {
            "description": f"{about}.",
            "content": _json({"$ref": REF.format(model="Error")}),
        }
    return shown


def _errors(rule: Rule, method: str, described: Operation) -> set[int]:
    errors = set(described.errors)
    if not described.public:
        errors |= {401, 503}  # who asks stands in the database, too
    if method not in SAFE:
        errors |= {400, 403}
    if described.query is not None:
        errors.add(400)
    if described.body is not None:
        errors |= {413, 415}
    return errors | ({404} if rule.arguments else set())


def _success(described: Operation) -> Schema:
    if described.text:
        return {kind: {"schema": {"type": "string"}} for kind in ("text/markdown", "text/plain")}
    if described.answer is None:
        return _json({"type": "object"})
    one = _reference(described.answer)
    properties: Schema = {"success": {"const": True}, "data": one}
    if described.many:
        properties["data"] = {"type": "array", "items": one}
        properties |= {"count": {"type": "integer"}, "nextCursor": {"type": ["string", "null"]}}
    required = list(properties)
    properties |= {name: _reference(model) for name, model in described.also.items()}
    return _json({"type": "object", "required": required, "properties": properties})


def _reference(model: type[BaseModel] | type[View]) -> Schema:
    return {"$ref": REF.format(model=model.__name__)}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
