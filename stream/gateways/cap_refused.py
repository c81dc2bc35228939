"""Why another system's alert was not taken. Every refusal has one of these reasons, and says what was found and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from stream.accept.refusal import DETAIL_CHARS_MAX


class CapRefused(StrEnum):
    """The reason of a refusal."""

    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NOT_UTF8 = "not_utf8"
    DOCUMENT_TYPE = "document_type"
    NOT_XML = "not_xml"
    UNKNOWN_SENDER = "unknown_sender"
    UNSIGNED = "unsigned"
    CERTIFICATE_NOT_VALID = "certificate_not_valid"
    SIGNATURE_BROKEN = "signature_broken"
    NOT_CAP = "not_cap"
    OTHER_LANE = "other_lane"
    NOT_FOR_ACTION = "not_for_action"
    TIME = "time"
    REFERENCES = "references"
    CONFLICT = "conflict"
    SUPERSEDED = "superseded"
    UNKNOWN_HAZARD = "unknown_hazard"
    NO_LEVEL = "no_level"
    NO_PLACE = "no_place"
    NOT_A_REPORT = "not_a_report"


ADVICE: dict[CapRefused, str] = {
    CapRefused.TOO_LARGE: "send one alert of at most 256 KiB",
    CapRefused.TOO_DEEP: "CAP 1.2 needs no such nesting",
    CapRefused.NOT_UTF8: "encode the alert as UTF-8",
    CapRefused.DOCUMENT_TYPE: "leave the document type and its entities out",
    CapRefused.NOT_XML: "send one well-formed CAP 1.2 alert",
    CapRefused.UNKNOWN_SENDER: "pin a certificate for this sender among the sources of alerts",
    CapRefused.UNSIGNED: "sign the alert (enveloped XML signature, ECDSA or RSA with SHA-256)",
    CapRefused.CERTIFICATE_NOT_VALID: "agree on a new certificate and pin it beside the old one before that expires",
    CapRefused.SIGNATURE_BROKEN: "sign the whole alert with a pinned certificate's key, and change nothing afterwards",
    CapRefused.NOT_CAP: "send CAP 1.2 by the OASIS schema and its section 3.2",
    CapRefused.OTHER_LANE: "Actual goes to the live lane, Exercise to an exercise, Test to a test; System and Draft to none",
    CapRefused.NOT_FOR_ACTION: "only Alert, Update and Cancel say something of a danger",
    CapRefused.TIME: "set the sender's clock right, and send an alert before it expires",
    CapRefused.REFERENCES: "name, in references, what this sender said before of the same danger",
    CapRefused.CONFLICT: "an alert that says something else needs another identifier",
    CapRefused.SUPERSEDED: "a newer message of the same danger was taken already",
    CapRefused.UNKNOWN_HAZARD: "map the event (its code or name) to a hazard of the region among the sources of alerts",
    CapRefused.NO_LEVEL: "give a severity, or the parameter level",
    CapRefused.NO_PLACE: "give a polygon, a circle, or the adcode of a city of the region as geocode",
    CapRefused.NOT_A_REPORT: "it is sound CAP, but nobody could state this here by hand either",
}


class CapFault(NamedTuple):
    """What is wrong with an alert: the reason, and what was found."""

    reason: CapRefused
    what: str

    @property
    def detail(self) -> str:
        """One printable, bounded line for a person."""
        text = f"{self.what}: {ADVICE[self.reason]}" if self.what else ADVICE[self.reason]
        printable = "".join(letter if letter.isprintable() else "?" for letter in text)
        return printable if len(printable) <= DETAIL_CHARS_MAX else printable[: DETAIL_CHARS_MAX - 3] + "..."
