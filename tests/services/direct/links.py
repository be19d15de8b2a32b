"""Get and use upload links as a script would, and look into the bucket."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import func, select

from app.extensions import db, settings
from app.models import User
from tests.services.conftest import BUCKET, s3_client
from tests.support import ApiScript

URL = "http://127.0.0.1:5000"


def link(script: ApiScript, content: bytes, name: str = "Kick 01.wav", **wishes: Any) -> dict[str, Any]:
    answer = script.call("POST", "/api/uploads", json={"filename": name, "size_bytes": len(content)} | wishes)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def send(told: dict[str, Any], content: bytes, **headers: str) -> int:
    return httpx.request(
        told["method"], told["url"], content=content, headers=told["headers"] | headers
    ).status_code


def complete(script: ApiScript, told: dict[str, Any]) -> Any:
    return script.call("POST", f"/api/uploads/{told['upload_id']}/job")


def keys(user: User) -> list[str]:
    found = s3_client(_at()).list_objects_v2(Bucket=BUCKET)
    return sorted(entry["Key"] for entry in found.get("Contents", []) if user.id in entry["Key"])


def put(key: str, content: bytes) -> None:
    """Put an object into the bucket directly, as if a store ignored signatures."""
    s3_client(_at()).put_object(Bucket=BUCKET, Key=key, Body=content)


def _at() -> dict[str, str]:
    now = settings()
    names = ("s3_endpoint_url", "s3_access_key_id", "s3_secret_access_key", "s3_region")
    return {name.upper(): str(getattr(now, name)) for name in names}


def rows(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0
