"""Ids that are functions of evidence only: never of a clock, a random number, an offset or a partition."""

from __future__ import annotations

from hashlib import sha256


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def incident_id(hazard: str, domain: str, series: str, observed_at: int, lane: str) -> str:
    """The id of the incident which that measurement opened.

    >>> incident_id("flood", "danube", "g12/discharge", 0, "live")
    'inc-1d88c205b80389aec060'
    """
    return "inc-" + _digest(hazard, domain, series, str(observed_at), lane)


def warning_id(incident: str, city_id: str, lane: str) -> str:
    """The id under which a city hears of an incident, whatever the revision."""
    return "wrn-" + _digest(incident, city_id, lane)


def discrepancy_id(kind: str, statement_id: str, lane: str) -> str:
    """The id of what does not agree with a statement."""
    return "dsc-" + _digest(kind, statement_id, lane)


def link_id(rule: str, of: str, via: str, to_domain: str, lane: str) -> str:
    """The id of what a rule makes follow in another domain from an incident (or a series) `of`, by way of a link `via` ("" = directly)."""
    return "lnk-" + _digest(rule, of, via, to_domain, lane)
