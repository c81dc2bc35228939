"""Tocsin's exceptions.

* TocsinError                 anything we raise on purpose; the command line prints it without a traceback
  + RegionError               a region folder is not usable (`problems` lists all of it)
  + UnknownRegion             a journal record names a region hash that is not at hand (yet)
  + BrokerError               the broker could not be started or reached
    + BrokerRefused           it was reached, and does not let us in or allow something: trying again does not help
  + PublishFailed             an awaited send failed: the process must end before it checkpoints
  + Stalled                   the process stood still or makes no progress
"""

from __future__ import annotations


class TocsinError(Exception):
    """Something went wrong that a person can act on; the message says what, where and what to do."""


class UnknownRegion(TocsinError):
    """A journal record names a region hash that is not at hand (yet)."""

    def __init__(self, region_hash: str) -> None:
        self.region_hash = region_hash
        super().__init__(f"region {region_hash} is not known here; publish it with `tocsin region activate`")


class BrokerError(TocsinError):
    """The broker could not be started or reached."""


class BrokerRefused(BrokerError):
    """The broker does not let us in, or does not allow something: trying again does not help."""


class PublishFailed(TocsinError):
    """An awaited send failed: the process must end before it checkpoints."""


class Stalled(TocsinError):
    """The process stood still, or makes no progress while records wait."""
