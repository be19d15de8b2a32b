"""Build the OpenAPI document from the table of operations and the schemas."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.api.operation import Operation
from app.api.operations import OPERATIONS, PREFIX
from app.api.problems import MEDIA_TYPE, Problem
from app.api.schemas import ID_PATTERN
from app.sp404.pads import PAD_PATTERN
from app.sp404.unit_limits import BANKS

SCHEMA_REF = "#/components/schemas/{model}"
PATH_NAME = re.compile(r"{(\w+)}")
# Parts of a path that are no ids.
PATH_PATTERNS = {"pad": PAD_PATTERN, "place": PAD_PATTERN, "bank": f"^[{BANKS}]$"}
RATE_HEADERS = {
    "RateLimit-Policy": ("string", "How many requests are allowed in how many seconds."),
    "RateLimit": ("string", "How many requests are left, and in how many seconds the count starts over."),
}
# They carry Retry-After.
RETRY_LATER = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)
MAX_LISTED_VALUES = 14  # a longer vocabulary is summarised instead of listed
DESCRIPTION = (
    "Everything the pages do, for scripts. Create a token in Settings > Tokens and send it as "
    "`Authorization: Bearer sp404_…`. Errors are problem details (RFC 9457). Those of the servers in front "
    "(400, 414, 417, 431, 501, 502, 504) have an empty `instance`."
)


@cache
def document(server_url: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the API at this URL."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SP404MK2 Sample Agent", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": server_url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def resolve_reference(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference names, or the schema itself when it is no reference."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = known[name] if name else schema
    return found


def schema_fields(schema: dict[str, Any], known: dict[str, Any], within: str = "") -> dict[str, Any]:
    """Return the schema of each field by its name, with the fields of nested objects: `vibe.energy`."""
    found: dict[str, Any] = {}
    for name, inner in resolve_reference(schema, known).get("properties", {}).items():
        found[f"{within}{name}"] = inner
        for choice in (inner, *inner.get("anyOf", [])):
            if "$ref" in choice:
                found |= schema_fields(choice, known, f"{within}{name}.")
    return found


def type_label(schema: dict[str, Any]) -> str:
    """Describe a schema for a person: `number or null`, `"loop" or "one-shot"`, `list of string`."""
    if "anyOf" in schema:
        return " or ".join(type_label(choice) for choice in schema["anyOf"])
    if len(schema.get("enum", [])) > MAX_LISTED_VALUES:
        return f'one of {len(schema["enum"])} words such as "{schema["enum"][0]}"'
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_label(schema['items'])}"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return "date and time" if schema.get("format") == "date-time" else str(schema.get("type", "any"))


def _schemas() -> dict[str, Any]:
    answers = [operation.answer for operation in OPERATIONS if operation.answer] + [Problem]
    bodies = [operation.body for operation in OPERATIONS if operation.body]
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]]
    wanted = [(model, "serialization") for model in dict.fromkeys(answers)]
    wanted += [(model, "validation") for model in dict.fromkeys(bodies)]
    _, made = models_json_schema(wanted, ref_template=SCHEMA_REF)
    schemas: dict[str, Any] = {name: _without_null_defaults(schema) for name, schema in made["$defs"].items()}
    return schemas | {op.form.__name__: _form_schema(op.form, op.file_field) for op in OPERATIONS if op.form}


def _without_null_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop a default of null: it means that a field may be left out, not that null may be sent."""
    for field in schema.get("properties", {}).values():
        if field.get("default", ...) is None:
            del field["default"]
    return schema


def _operation(operation: Operation) -> dict[str, Any]:
    needs = f"Needs the permission `{operation.ability}`." if operation.ability else "Any token will do."
    needs += f" It needs `{operation.further_ability}` too." if operation.further_ability else ""
    made = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description} {needs}".strip(),
        "parameters": _parameters(operation),
        "responses": {str(operation.status): _success_response(operation)}
        | _unchanged_response(operation)
        | {str(code): _problem_response(code) for code in operation.all_problems},
    }
    if operation.body is not None:
        schema = {"$ref": SCHEMA_REF.format(model=operation.body.__name__)}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.form is not None:
        schema = {"$ref": SCHEMA_REF.format(model=operation.form.__name__)}
        made["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return made


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    ids: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in PATH_NAME.findall(operation.path)
    ]
    return ids + _model_parameters(operation.query, "query") + _model_parameters(operation.headers, "header")


def _path_schema(name: str) -> dict[str, str]:
    return {"type": "string", "pattern": PATH_PATTERNS.get(name, ID_PATTERN)}


def _model_parameters(model: type[BaseModel] | None, where: str) -> list[dict[str, Any]]:
    properties = model.model_json_schema()["properties"] if model is not None else {}
    found = []
    for name, schema in properties.items():
        value, words = _without_null(schema), schema.get("description")
        found.append({"name": name, "in": where, "required": False, "schema": value})
        if words:
            found[-1]["description"] = words
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove null from a schema: a parameter is sent or left out, because a URL has no null."""
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "title", "description"}}
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    kept = kept if kept.get("default") is not None else {n: v for n, v in kept.items() if n != "default"}
    return kept | (choices[0] if choices else {})


def _form_schema(model: type[BaseModel], file_field: str) -> dict[str, Any]:
    schema = _without_null_defaults(model.model_json_schema())
    file = {"type": "string", "format": "binary", "description": "The file."}
    return schema | {"properties": {file_field: file} | schema["properties"], "required": [file_field]}


def _success_response(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase, "headers": _rate_headers()}
    if operation.answer is not None:
        schema = {"$ref": SCHEMA_REF.format(model=operation.answer.__name__)}
        made["content"] = {"application/json": {"schema": schema}}
    if operation.status == HTTPStatus.FOUND:
        made["headers"]["Location"] = {"required": True, "schema": {"type": "string"}}
    return made


def _unchanged_response(operation: Operation) -> dict[str, Any]:
    """Return the 304 that a GET answers to `If-None-Match` with the ETag of its last answer."""
    if operation.method != "GET" or operation.answer is None:
        return {}
    return {"304": {"description": "Unchanged since the ETag in If-None-Match", "headers": _rate_headers()}}


def _problem_response(code: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": HTTPStatus(code).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA_REF.format(model=Problem.__name__)}}},
    }
    if code == HTTPStatus.UNAUTHORIZED:
        made["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    if code in RETRY_LATER:
        made["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
    return made


def _rate_headers() -> dict[str, Any]:
    return {
        name: {"required": True, "description": words, "schema": {"type": kind}}
        for name, (kind, words) in RATE_HEADERS.items()
    }
