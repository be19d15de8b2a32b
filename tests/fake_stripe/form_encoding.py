"""Decode Stripe's form encoding, and refuse parameters that the SDK's types do not have."""

from __future__ import annotations

import re
import sys
from typing import Any
from urllib.parse import parse_qsl

from tests.fake_stripe.world import Refusal

CLASS_NAME = re.compile(r"\b\w+Params\w*\b")


def decode(text: str) -> dict[str, Any]:
    """Return `a[b]=1&c[0]=2` as {"a": {"b": "1"}, "c": ["2"]}."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys, at = re.findall(r"[^\[\]]+", name), found
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = value
    return {name: _lists(value) for name, value in found.items()}


def refuse_unknown(given: Any, params: type, path: str = "") -> None:
    """Refuse a parameter that the SDK's types do not have, as Stripe would."""
    if isinstance(given, list):
        for entry in given:
            refuse_unknown(entry, params, path)
    if not isinstance(given, dict):
        return
    for name, value in given.items():
        known = params.__annotations__.get(name)
        if known is None:
            raise Refusal(f"Received unknown parameter: {path}{name}", "parameter_unknown", param=name)
        nested = CLASS_NAME.search(str(known))
        if nested is not None:
            found = getattr(sys.modules[params.__module__], nested.group())
            refuse_unknown(value, found, f"{path}{name}.")


def flag(given: dict[str, Any], name: str) -> bool:
    return str(given.get(name, "")).lower() == "true"


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(entry) for key, entry in value.items()}
    is_list = bool(inner) and all(key.isdigit() for key in inner)
    return [inner[key] for key in sorted(inner, key=int)] if is_list else inner
