"""One request with measurements, from its bytes to its answer: who sends, how much, judged item by item, and answered when Kafka has it.

A 202 is never more than is true: it is given after the sender has said `accepted` (Kafka, acks=all) or `stored` (fsync). Whatever goes wrong before
that is a status from which the sender learns whether to try again: 408, 409, 429 and 503 yes, all other 4xx no.
"""

from __future__ import annotations

import asyncio
import logging
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from aiokafka.errors import KafkaError

from stream.accept.refusal import quoted
from stream.errors import TocsinError
from stream.gateways.dialect import Asked, dialect, dialect_of, names
from stream.gateways.http_answers import Answer, Refusal, answer
from stream.gateways.http_body import Share, read, too_large, unpack
from stream.gateways.idempotency import KEY_CHARS_MAX
from stream.gateways.verdict import Verdict
from stream.runtime.clocks import wall_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.dialect import Dialect
    from stream.gateways.http_gateway import Caller, Gateway, Way
    from stream.gateways.verdict import Item, Judged, ToDoor, Wrong

log = logging.getLogger(__name__)
JSON = "application/json"
SLICE = 2_000
"""Rows of a backfill judged in one go: what is live waits no longer than that."""
_encode = msgspec.json.Encoder().encode


class Ingest:
    """One request on one of the ways in. `take` answers it."""

    def __init__(self, request: web.Request, gateway: Gateway, way: Way) -> None:
        self._request = request
        self._gateway = gateway
        self._way = way
        self._caller: Caller = gateway.who(request)

    async def take(self) -> web.Response:
        """The answer; Refusal for a request that is not taken."""
        gateway, request = self._gateway, self._request
        gateway.ready_judge(bulk=self._way.bulk)
        reader, key = self._reader(), self._key()
        with Share(gateway.budget) as share:
            body = await read(request.content, request.content_length, self._way.body_bytes, gateway.limits.read_s, share)
            if key is None:
                return self._named(_response(await self._answer(reader, body, share)), body)
            digest = self._digest(body)
            kept = gateway.keys.begin(key, digest, wall_ms())
            if kept is None:
                return self._named(await self._first(key, reader, body, share), body)
            if kept.digest != digest:
                raise Refusal(422, "this Idempotency-Key was used for another request; every new request needs a new key")
            if kept.running:
                raise Refusal(
                    409, "the first request with this Idempotency-Key is still being worked on; send it again in a second for its answer"
                )
            return self._named(_response((kept.status, kept.body), replayed=True), body)

    def _named(self, response: web.Response, body: bytes) -> web.Response:
        """Clients of SensorThings read the name of what they created out of its Location, and fail without one. Nothing can be read there."""
        if self._way.dialect:
            response.headers["Location"] = f"/v1.1/Observations('{self._digest(body).hex()}')"
        return response

    async def _first(self, key: str, reader: Dialect, body: bytes, share: Share) -> web.Response:
        """The answer, remembered under its key; nothing is remembered of what may be tried again."""
        try:
            made = await self._answer(reader, body, share)
        except BaseException:
            self._gateway.keys.forget(key)
            raise
        self._gateway.keys.done(key, *made, wall_ms())
        return _response(made)

    async def _answer(self, reader: Dialect, body: bytes, share: Share) -> tuple[int, bytes]:
        """Status and body of the answer."""
        payload = unpack(body, self._request.headers.get("Content-Encoding", ""), self._way.unpacked_bytes)
        if payload is not body:
            share.take(len(payload))
        ask = Asked(self._request.path, self._gateway.mapping)
        if self._way.bulk:  # a thread, for a page of 64 megabytes takes seconds, and nothing live may wait for it
            found = await asyncio.to_thread(reader.decode, payload, ask)
        else:
            found = reader.decode(payload, ask)
        if len(found) > self._way.items:
            raise too_large(self._way.items, f"request, with {len(found)}", "measurements")
        made = await (self._bulk(found) if self._way.bulk else self._live(found))
        # Clients of SensorThings look for 201; "created" is true of what Kafka has.
        good = 201 if self._way.dialect and made.accepted else 202
        return (good if made.taken else 422), _encode(made)

    async def _live(self, found: Sequence[Item | Wrong]) -> Answer:
        judged, sent = await self._hand_on(found)
        return answer(judged, sent)

    async def _bulk(self, found: Sequence[Item | Wrong]) -> Answer:
        """Slice by slice: while one waits for Kafka, what is live goes by."""
        judged: list[Judged] = []
        stored = 0
        for start in range(0, max(len(found), 1), SLICE):
            some, sent = await self._hand_on(found[start : start + SLICE])
            stored += answer(some, sent).stored
            judged += [one._replace(item=one.item + start) for one in some] if start else some
            await asyncio.sleep(0)
        whole = answer(judged, Verdict.ACCEPTED)
        return msgspec.structs.replace(whole, accepted=whole.accepted - stored, stored=stored)

    async def _hand_on(self, found: Sequence[Item | Wrong]) -> tuple[list[Judged], Verdict]:
        """The verdicts, after what is good is in Kafka or on the disk."""
        gateway, way = self._gateway, self._way
        judge, now = gateway.ready_judge(bulk=way.bulk), wall_ms()
        judged, records = judge.judge(found, now, self._caller.may)
        gateway.denials.items(judged, self._caller.shown, self._request.remote or "", now)
        sent = await self._sent(records) if records else Verdict.ACCEPTED
        judge.remember(records)
        gateway.metrics.count(judged if sent is Verdict.ACCEPTED else [_stored(one) for one in judged])
        gateway.seen.note(self._caller.name, found, judged, now, None if way.bulk else judge.zone_of)
        return judged, sent

    async def _sent(self, records: Sequence[ToDoor]) -> Verdict:
        gateway = self._gateway
        try:
            # One key: what a sender says of a station stays in the order in which it says it.
            return await (gateway.bulk_sender if self._way.bulk else gateway.sender).send(records, self._caller.name.encode())
        except (TocsinError, KafkaError, OSError) as error:
            log.warning("a request of %s was not taken: %s: %s", self._caller.name, type(error).__name__, error)
            raise gateway.later(
                503,
                f"neither Kafka nor the gateway's disk took it ({type(error).__name__}); send it again after Retry-After, what was taken of it is then told as a duplicate",
            ) from error

    def _reader(self) -> Dialect:
        """Who reads the payload: the dialect asked for, else that of the content type; Refusal 415."""
        named, kind = self._way.dialect or self._request.query.get("dialect"), self._request.content_type
        if named:
            if named not in names():
                raise Refusal(415, f"?dialect={quoted(named)} is not known here; there are {', '.join(names())}")
            return dialect(named)
        found = dialect_of(kind) if "Content-Type" in self._request.headers else None
        if found is None:
            kinds = sorted({one for name in names() for one in dialect(name).CONTENT_TYPES})
            said = (
                f"Content-Type {quoted(kind)} is not known here" if "Content-Type" in self._request.headers else "there is no Content-Type"
            )
            raise Refusal(415, f"{said}; send one of {', '.join(kinds)}, or name a ?dialect= ({', '.join(names())})")
        return found

    def _key(self) -> str | None:
        key = self._request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not key or len(key) > KEY_CHARS_MAX:
            raise Refusal(
                400,
                f"Idempotency-Key: send 1 to {KEY_CHARS_MAX} characters, a new one for each new request, or no such header",
                limit=KEY_CHARS_MAX,
            )
        return f"{self._caller.name}\n{key}"

    def _digest(self, body: bytes) -> bytes:
        """What makes two requests the same: where they go, how they are to be read, and their bytes."""
        request = self._request
        how = "\n".join((request.path_qs, request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", "")))
        return blake2b(body, digest_size=16, key=blake2b(how.encode("utf-8", "surrogateescape"), digest_size=16).digest()).digest()


def _stored(one: Judged) -> Judged:
    return one._replace(verdict=Verdict.STORED) if one.verdict is Verdict.ACCEPTED else one


def _response(made: tuple[int, bytes], *, replayed: bool = False) -> web.Response:
    status, body = made
    return web.Response(status=status, body=body, content_type=JSON, headers={"Idempotency-Replayed": "true"} if replayed else None)
