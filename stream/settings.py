"""Settings of a process: a TOML file and `TOCSIN_...` environment variables over defaults, decoded strictly."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from stream.cluster import Cluster, Mechanism, Protocol
from stream.errors import TocsinError
from stream.records.lanes import Lane, lane_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a process needs to know besides its region (which is in Kafka). Durations in seconds.

    `prefix` stands before every topic name; live has none, exercises `exercise.`, replays one of their own. `clock`: `broker` on live lanes (the
    broker's append time is the time), `observed` on replay lanes (records carry the time of observation). Passwords and keys stand in files of
    their own (absolute paths, mode 0600); `journal_partitions`: where the journal has another number of them than the other topics, and `generation`:
    which journal, as `tocsin rebuild` says; `canary_s`: how often a canary comes, 0 where there is none; `otel_endpoint`: where traces go.
    """

    bootstrap: str = "127.0.0.1:19092"
    security_protocol: Protocol = "PLAINTEXT"
    sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    ssl_ca_file: str = ""
    ssl_cert_file: str = ""
    ssl_key_file: str = ""
    ssl_key_password_file: str = ""
    prefix: str = ""
    lane: Lane = Lane.LIVE
    clock: Literal["broker", "observed"] = "broker"
    partitions: int = 12
    journal_partitions: int = 0
    generation: int = 1
    replication: int = 1
    instance: str = "tocsin-0"
    group: str = "tocsin"
    tick_s: float = 2.0
    checkpoint_s: float = 1.0
    checkpoint_bytes_per_s: int = 2_000_000
    session_timeout_s: float = 6.0
    request_timeout_s: float = 20.0
    watchdog_s: float = 60.0
    link_test_s: float = 86_400.0
    door_bytes_max: int = 262_144
    journal_bytes_max: int = 900_000
    drain_bytes_per_s: int = 4_000_000
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"
    metrics_per_city: bool = False
    canary_s: float = 0.0
    log_format: Literal["text", "json"] = "text"
    otel_endpoint: str = ""

    def __post_init__(self) -> None:
        if self.partitions < 1 or self.replication < 1:
            msg = f"partitions and replication must be at least 1, got {self.partitions} and {self.replication}"
            raise TocsinError(msg)
        if self.journal_partitions < 0 or self.generation < 1:
            msg = f"journal_partitions {self.journal_partitions} and generation {self.generation}: as `tocsin rebuild` says, or 0 and 1"
            raise TocsinError(msg)
        if self.drain_bytes_per_s < 1:
            msg = f"drain_bytes_per_s {self.drain_bytes_per_s}: a gateway has to send what it stored, at 1 byte a second or more"
            raise TocsinError(msg)
        if self.lane is not lane_of(self.prefix):
            rule = "live topics have no prefix, those of exercises begin with 'exercise.', all others are tests"
            msg = f"lane {self.lane} with topic prefix {self.prefix!r}: {rule}"
            raise TocsinError(msg)
        _ = self.cluster  # says what is missing of its security

    @property
    def journal_width(self) -> int:
        """The number of partitions of the journal."""
        return self.journal_partitions or self.partitions

    @property
    def cluster(self) -> Cluster:
        """How clients reach the broker and show who they are."""
        return Cluster(**{name: getattr(self, name) for name in Cluster.__slots__})


SECRETS = ("TOCSIN_SASL_PASSWORD", "TOCSIN_SSL_KEY_PASSWORD")
"""Variables that somebody may expect to be read; every process of the same user can see them."""


def load(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from a TOML file, then environment (`TOCSIN_BOOTSTRAP` ...), then explicit values; TocsinError names the field."""
    values: dict[str, Any] = {}
    if path is not None:
        values.update(tomllib.loads(path.read_text("utf-8")))
    if named := [name for name in SECRETS if name in os.environ]:
        msg = f"{', '.join(named)}: passwords are read from files only, others could see the environment; set {named[0]}_FILE"
        raise TocsinError(msg)
    for name in Settings.__struct_fields__:
        if (text := os.environ.get(f"TOCSIN_{name.upper()}")) is not None:
            values[name] = text
    values.update({name: value for name, value in (overrides or {}).items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        where = f"{path} or TOCSIN_... variables" if path else "TOCSIN_... variables or options"
        msg = f"settings from {where}: {error}; known settings: {', '.join(Settings.__struct_fields__)}"
        raise TocsinError(msg) from error
