"""Makes the Faust application of a worker: every setting that guards against loss is here, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faust
from faust.transport.drivers import TRANSPORTS

from stream.runtime.topics import Topics
from stream.runtime.transport import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from stream.cluster import Cluster
    from stream.runtime.positions import Partition, Positions
    from stream.settings import Settings

DOOR_RUN = 10_000
"""Door records handed to ACCEPT at a time: enough for arrays to pay, few enough to keep the loop turning."""
JOURNAL_RUN = 2_000
"""Journal records (each may hold hundreds of measurements) handed to DECIDE at a time."""
FETCH_BYTES = 4_194_304
ANSWER_S = 5.0
"""So long after the time for joining is up, the broker's answer to who joined may come."""
COMMIT_S = 0.25
"""Readers of committed offsets (the closing tick of a replay) wait for this."""


class PassTopic(faust.Topic):  # type: ignore[misc]
    """A topic whose decoding is ours: a batch goes to the agent as it is."""

    async def decode(self, message: Any, *, propagate: bool = False) -> Any:
        """The event around the batch."""
        del propagate
        return self._create_event(message.key, message.value, headers=message.headers, message=message)


def group_of(settings: Settings) -> str:
    """The consumer group: one for each lane.

    >>> from stream.settings import Settings
    >>> group_of(Settings())
    'tocsin'
    """
    return f"{settings.prefix}{settings.group}"


def create_app(settings: Settings, positions: Positions, sated: Callable[[], Collection[Partition]] = frozenset) -> faust.App:
    """A Faust application for these settings, without agents; it starts no web server and creates no topics.

    `sated`: the source partitions of which enough was read for now.
    """
    TRANSPORTS.aliases[SCHEME] = "stream.runtime.transport:BatchTransport"
    group = group_of(settings)
    rebalance_s = max(10.0, settings.session_timeout_s)
    app = faust.App(
        group,
        broker=";".join(f"{SCHEME}://{address.strip()}" for address in settings.bootstrap.split(",")),
        broker_credentials=credentials(settings.cluster),
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # Standbys are not used, but without them Faust 0.15 picks an assignor that fails on our topics.
        table_standby_replicas=1,
        # A restart takes its partitions back without waiting for the session to run out.
        consumer_group_instance_id=f"{group}-{settings.instance}",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_BYTES,
        broker_commit_interval=COMMIT_S,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 6,
        # Joining is answered when all have joined or their time is up: who gave up just then would begin all over.
        broker_request_timeout=max(settings.request_timeout_s, rebalance_s + ANSWER_S),
        broker_rebalance_timeout=rebalance_s,
        # A batch that is being worked on must not hold up a rebalance: its commit is refused and it is read again.
        stream_wait_empty=False,
        # A full queue stops all reading; the transport asks for no more of a topic long before.
        stream_buffer_maxsize=64,
    )
    app._create_directories = lambda: None  # noqa: SLF001  (everything is kept in Kafka: no folder for tables)
    app.tocsin_batched = {**dict.fromkeys(Topics.of(settings).doors, DOOR_RUN), Topics.of(settings).journal: JOURNAL_RUN}
    app.tocsin_positions = positions
    app.tocsin_sated = sated
    return app


def credentials(cluster: Cluster) -> faust.auth.Credentials | None:
    """What Faust's clients show the broker; None without security."""
    shown = cluster.aiokafka()
    context = shown.get("ssl_context")
    if cluster.sasl:
        user, password = shown["sasl_plain_username"], shown["sasl_plain_password"]
        return faust.SASLCredentials(username=user, password=password, mechanism=cluster.sasl_mechanism, ssl_context=context)
    return context and faust.SSLCredentials(context)


def source(app: faust.App, names: tuple[str, ...], partitions: int) -> faust.Topic:
    """A topic (or several as one channel) an agent reads in batches."""
    topic = app.topic(*names, value_serializer="raw", key_serializer="raw", partitions=partitions)
    topic.__class__ = PassTopic
    return topic
