"""What an operation of the JSON API is: its route, the token it needs, what it takes and may answer."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

MAX_JSON_BYTES = 64 * 1024
# Every operation may answer these: unreadable request, no valid token, address too long, rate limit,
# headers too long, service unavailable.
COMMON_PROBLEMS = (400, 401, 414, 429, 431, 503)


@dataclass(frozen=True)
class Operation:
    """One operation: its route, the token it needs, what it takes and what it may answer."""

    name: str
    method: str
    path: str  # below PREFIX, in OpenAPI's syntax: /samples/{sample_id}
    summary: str
    description: str = ""
    ability: str | None = None  # None: any token will do
    further_ability: str | None = None  # that the token needs too
    status: int = 200
    answer: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None  # JSON
    form: type[BaseModel] | None = None  # multipart, together with one file
    file_field: str = "audio"  # of the form
    headers: type[BaseModel] | None = None
    max_body_bytes: int = MAX_JSON_BYTES
    problems: tuple[int, ...] = ()

    @property
    def rule(self) -> str:
        """The path in Flask's syntax."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def all_problems(self) -> tuple[int, ...]:
        """Every status of a problem that this operation may answer, in order."""
        own = {403} if self.ability else set()
        own |= {404} if "{" in self.path else set()
        own |= {422} if self.query or self.body or self.form else set()
        own |= {413, 415} if self.body or self.form else set()
        return tuple(sorted(own | {*COMMON_PROBLEMS, *self.problems}))
