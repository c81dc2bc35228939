"""What the HTTP gateway answers: verdicts on what was handed in, or a problem (RFC 9457). The OpenAPI document is made of these types."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from stream.gateways.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.verdict import Judged


class RejectedItem(msgspec.Struct, frozen=True):
    """One thing of a request that was not taken. `index`: its place in the request; `path`: where in it (JSONPath, or line and column).

    `error`: what is wrong and what to do, for a person; `reason`: its kind, for a program.
    """

    index: int
    path: str
    error: str
    reason: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What became of a request's measurements. Those in neither list below were all accepted, or all stored.

    `accepted`: Kafka has acknowledged them (acks=all). `stored`: Kafka cannot be reached; they are on the gateway's disk and go there when it can.
    `duplicates`: places of those that were handed in before, as far as this process remembers: best effort, its last 200,000 measurements. What it
    has forgotten is accepted, and dropped behind it.
    """

    accepted: int
    stored: int
    duplicate: int
    duplicates: list[int]
    rejected: list[RejectedItem]

    @property
    def taken(self) -> bool:
        """Whether anything of it is, or was before, in safe hands."""
        return bool(self.accepted or self.stored or self.duplicate)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request as a whole was not taken (application/problem+json). `limit`: the bound that was passed."""

    title: str
    status: int
    detail: str
    limit: int | None = None


class Refusal(Exception):
    """A request that is not taken; `str` says the status and why."""

    def __init__(self, status: int, detail: str, *, limit: int | None = None, retry_after_s: int | None = None) -> None:
        self.status = status
        self.detail = detail
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(f"{status}: {detail}")

    @property
    def problem(self) -> Problem:
        """What is answered.

        >>> Refusal(413, "too large", limit=5).problem
        Problem(title='Request Entity Too Large', status=413, detail='too large', limit=5)
        """
        return Problem(HTTPStatus(self.status).phrase, self.status, self.detail, self.limit)


def answer(judged: Sequence[Judged], sent: Verdict) -> Answer:
    """The answer to these verdicts; `sent` is what became of those that went on.

    >>> from stream.gateways.verdict import Judged
    >>> answer([Judged(0, Verdict.ACCEPTED), Judged(1, Verdict.REJECTED, "$[1]", "no")], Verdict.STORED)
    Answer(accepted=0, stored=1, duplicate=0, duplicates=[], rejected=[RejectedItem(index=1, path='$[1]', error='no', reason='')])
    """
    rejected = [RejectedItem(one.item, one.path, one.error, one.reason or "") for one in judged if one.verdict is Verdict.REJECTED]
    duplicates = [one.item for one in judged if one.verdict is Verdict.DUPLICATE]
    went = len(judged) - len(rejected) - len(duplicates)
    stored = went if sent is Verdict.STORED else 0
    return Answer(went - stored, stored, len(duplicates), duplicates, rejected)
