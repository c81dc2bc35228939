"""Bytes of a door to typed measurements: strict, one bad message or array element at a time, and never an exception.

Of duplicate JSON keys the last one wins (as in every common JSON library). Text inside fields that instruments' messages may carry
besides ours is skipped, not looked at.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

import msgspec

from stream.accept.refusal import Fault, Refused, quoted
from stream.records.measurement import CaseCount, Measurement
from stream.records.report import InterventionReport

if TYPE_CHECKING:
    from collections.abc import Sequence

SINGLE = -1
"""`element` of a record that is one object, not an array."""
REPORT = b'"report"'
ENVELOPE = b'"envelope"'
_WHITESPACE = b" \t\r\n"
_VALIDATION = (
    ("Object missing required field", Refused.MISSING_FIELD),
    ("Object contains unknown field", Refused.UNKNOWN_FIELD),
    ("Number out of range", Refused.NOT_FINITE),
    ("Invalid RFC3339", Refused.TIME_INVALID),
    ("Expected `str` of length", Refused.OUT_OF_RANGE),
    ("Expected `int` >", Refused.OUT_OF_RANGE),
    ("Expected `int` <", Refused.OUT_OF_RANGE),
    ("Expected `float` >", Refused.OUT_OF_RANGE),
    ("Expected `float` <", Refused.OUT_OF_RANGE),
    ("Invalid enum value", Refused.OUT_OF_RANGE),
    ("Invalid value", Refused.OUT_OF_RANGE),
)


class Bad(NamedTuple):
    """A fault with its place: number of the record in the batch, element of its array (or SINGLE)."""

    record: int
    element: int
    fault: Fault


class Reported(NamedTuple):
    """A report with its place: number of the record in the batch, element of its array (or SINGLE)."""

    record: int
    element: int
    report: InterventionReport


class Decoded(NamedTuple):
    """The readable measurements of a batch in order, each with its record's number and its element, what is not readable, and reports.

    `envelopes`: the numbers of records that mean to be signed envelopes.
    """

    items: list[Any]
    record: list[int]
    element: list[int]
    bad: list[Bad]
    reports: list[Reported]
    envelopes: list[int]


class _Meant(msgspec.Struct):
    """What is meant as a report, right or wrong: it has the field."""

    report: msgspec.Raw


class Decoder:
    """Strict decoding of one door's records. `cases`: the door takes case counts; nothing a sender wrote is then quoted anywhere.

    `reports`: it takes reports of people too. They are looked for only in what is no measurement, so that they cost measurements nothing.
    """

    def __init__(self, *, cases: bool, bytes_max: int, reports: bool = False) -> None:
        one = CaseCount if cases else Measurement
        self.cases = cases
        self.bytes_max = bytes_max
        self._any = msgspec.json.Decoder(one | list[one])  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(one)
        self._reports = msgspec.json.Decoder(InterventionReport) if reports else None
        self._meant = msgspec.json.Decoder(_Meant)
        self._raws = msgspec.json.Decoder(list[msgspec.Raw])

    def decode(self, values: Sequence[bytes | None]) -> Decoded:
        """What is in these records. Each is decoded by itself: as fast as one joined array, and no record can reach into another."""
        plain = self._plain(values)
        if plain is not None:
            return Decoded(plain, list(range(len(plain))), [SINGLE] * len(plain), [], [], [])
        out = Decoded([], [], [], [], [], [])
        items, numbers, elements = out[:3]
        decode, bytes_max = self._any.decode, self.bytes_max
        for number, value in enumerate(values):
            if value is None or len(value) > bytes_max:
                out.bad.append(Bad(number, SINGLE, self._unread(value)))
                continue
            try:
                item = decode(value)
            except (ValueError, RecursionError) as error:
                self._salvage(out, number, value, error)
                continue
            if type(item) is not list:
                items.append(item)
                numbers.append(number)
                elements.append(SINGLE)
            elif item:
                items.extend(item)
                numbers.extend([number] * len(item))
                elements.extend(range(len(item)))
            else:
                out.bad.append(Bad(number, SINGLE, Fault(Refused.EMPTY, "the array has no element")))
        return out

    def _plain(self, values: Sequence[bytes | None]) -> list[Any] | None:
        """The usual batch, every record one readable object, in half the time; None where any is something else."""
        if None in values:
            return None
        present = cast("Sequence[bytes]", values)
        if max(map(len, present), default=0) > self.bytes_max:
            return None
        try:
            return list(map(self._one.decode, present))
        except (ValueError, RecursionError):
            return None

    def element(self, value: bytes, element: int) -> bytes:
        """The bytes of one element of a record that is an array, as sent; the whole record if it cannot be taken apart."""
        try:
            return bytes(self._raws.decode(value)[element])
        except (ValueError, RecursionError):  # nested just below the limit on an earlier, less deep call
            return value

    def _unread(self, value: bytes | None) -> Fault:
        if value is None:
            return Fault(Refused.TOMBSTONE, "")
        return Fault(Refused.TOO_LARGE, f"{len(value)} bytes, at most {self.bytes_max} are read")

    def _salvage(self, out: Decoded, number: int, value: bytes, error: Exception) -> None:
        """One bad element must not cost the others of its array their place."""
        if value.lstrip(_WHITESPACE)[:1] != b"[":
            self._other(out, (number, SINGLE), value, error)
            return
        try:
            parts = [bytes(raw) for raw in self._raws.decode(value)]
        except (ValueError, RecursionError) as broken:
            out.bad.append(Bad(number, SINGLE, self._explain(value, broken)))
            return
        for element, part in enumerate(parts):
            try:
                item = self._one.decode(part)
            except (ValueError, RecursionError) as wrong:
                self._other(out, (number, element), part, wrong)
            else:
                out.items.append(item)
                out.record.append(number)
                out.element.append(element)

    def _other(self, out: Decoded, place: tuple[int, int], value: bytes, error: Exception) -> None:
        """What is no measurement is a signed envelope, a report, or bad."""
        if ENVELOPE in value and place[1] == SINGLE:
            out.envelopes.append(place[0])
        elif self._reports is not None and REPORT in value:
            try:
                self._meant.decode(value)
                out.reports.append(Reported(*place, self._reports.decode(value)))
            except msgspec.ValidationError as wrong:
                meant = "required field `report`" not in str(wrong)
                out.bad.append(Bad(*place, self._explain(value, wrong if meant else error)))
            except (ValueError, RecursionError):
                out.bad.append(Bad(*place, self._explain(value, error)))
        else:
            out.bad.append(Bad(*place, self._explain(value, error)))

    def _explain(self, value: bytes, error: Exception) -> Fault:
        return explain(value, error, quote=not self.cases)


def explain(value: bytes, error: Exception, *, quote: bool) -> Fault:
    """Why these bytes could not be decoded; `quote`: what the sender wrote may be repeated."""
    if isinstance(error, RecursionError):
        return Fault(Refused.TOO_DEEP, "nested too deeply to be read")
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        reason = next((reason for start, reason in _VALIDATION if text.startswith(start)), Refused.WRONG_TYPE)
        if reason is Refused.UNKNOWN_FIELD:  # the field's name is the sender's text
            return Fault(reason, quoted(text) if quote else "a field that is not in the schema")
        return Fault(reason, text.replace("`", ""))
    return _explain_text(value, error, quote=quote)


class _NotFinite(ValueError):
    """A NaN or Infinity stands in the text."""


def _explain_text(value: bytes, error: Exception, *, quote: bool) -> Fault:
    """Which of the things that are no JSON this is."""
    if not value.strip(_WHITESPACE):
        return Fault(Refused.EMPTY, "the message is empty")
    try:
        text = value.decode()
    except UnicodeDecodeError as wrong:
        return Fault(Refused.NOT_UTF8, f"byte {wrong.start}: {wrong.reason}")
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except _NotFinite as wrong:
        return Fault(Refused.NOT_FINITE, str(wrong))
    except RecursionError:
        return Fault(Refused.TOO_DEEP, "nested too deeply to be read")
    except ValueError:
        # Python's reader agrees that it is no JSON; msgspec's message says where.
        return Fault(Refused.NOT_JSON, str(error).replace("`", "") if quote else "")
    return Fault(Refused.NOT_JSON, str(error).replace("`", "") if quote else "")


def _refuse_constant(name: str) -> NoReturn:
    msg = f"the number {name}"
    raise _NotFinite(msg)
