"""How warnings of a high 24-hour mean are scored, the same way for every contestant, and the interval of a difference.

- Event: the running 24-hour mean (18 of 24 hours known) of a site is at or above a limit; spells less than 24 hours apart are one. Its
  onset is its first hour.
- Warning: a claim that an event begins within the next 24 hours. Outside events the first hour in alarm issues one; while it is valid no
  other is issued; when it runs out without an event and the alarm stands, the next one is issued.
- Hit: an event whose warning was issued at least `ahead_h` hours before its onset. Miss: any other event, also one warned later than that.
  False: a warning without an event within 24 hours. CSI = hits / (hits + misses + false).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VALID_H = 24
WEEK_H = 168


@dataclass(frozen=True)
class Span:
    """Hours start <= h < end that are scored."""

    start: int
    end: int


def events(mean24, limit, apart_h=24):
    """[(first, last)] hours of the events of one site."""
    found = []
    for hour in np.flatnonzero(mean24 >= limit).tolist():
        if found and hour - found[-1][1] <= apart_h:
            found[-1][1] = hour
        else:
            found.append([hour, hour])
    return [tuple(one) for one in found]


def outcome(alarm, site_events, span, ahead_h, valid_h=VALID_H):
    """(hits, misses, false): the hours at which each counts (onsets; for false ones the hour of the warning)."""
    inside = np.zeros(len(alarm), dtype=bool)
    for first, last in site_events:
        inside[first : last + 1] = True
    hours = np.flatnonzero(alarm[span.start : span.end]) + span.start
    hours = hours[~inside[hours]]
    onsets = np.array([first for first, _ in site_events] + [2**40])
    warned, false, at = {}, [], 0
    while at < len(hours):
        issued = int(hours[at])
        onset = int(onsets[np.searchsorted(onsets, issued, side="right")])
        if onset - issued <= valid_h:
            warned[onset] = issued
            until = onset
        else:
            if issued + valid_h < span.end:  # what lies beyond the end is not known
                false.append(issued)
            until = issued + valid_h
        at = int(np.searchsorted(hours, until))
    scored = [first for first, _ in site_events if span.start + valid_h <= first < span.end]
    hits = [onset for onset in scored if onset in warned and onset - warned[onset] >= ahead_h]
    return hits, sorted(set(scored) - set(hits)), false


def by_week(alarms, all_events, span, ahead_h, valid_h=VALID_H):
    """Hits, misses and false warnings of all sites and limits by week, (weeks, 3). `alarms` and `all_events`: by (limit, site)."""
    weeks = np.zeros(((span.end - span.start) // WEEK_H + 1, 3))
    for key, site_events in all_events.items():
        for column, hours in enumerate(outcome(alarms[key], site_events, span, ahead_h, valid_h)):
            np.add.at(weeks, ((np.array(hours, dtype=int) - span.start) // WEEK_H, column), 1)
    return weeks


def csi(counts):
    """Critical success index of (..., 3) counts."""
    return counts[..., 0] / np.maximum(counts.sum(axis=-1), 1)


def paired_interval(ours, theirs, seed=0, rounds=4000):
    """(difference of CSI, lower, upper): 95 % interval, bootstrap over weeks, the same weeks drawn for both."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(ours), (rounds, len(ours)))
    spread = csi(ours[drawn].sum(axis=1)) - csi(theirs[drawn].sum(axis=1))
    return float(csi(ours.sum(axis=0)) - csi(theirs.sum(axis=0))), *(float(q) for q in np.quantile(spread, [0.025, 0.975]))
