"""Says why a broker cannot be used.

aiokafka and librdkafka try again and again and keep the reason to themselves: here one connection is made by hand, and what comes of it is put
into words. What the broker refuses is told apart from a broker that is away: only the latter may get better.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest
from confluent_kafka import KafkaError as Librdkafka

from stream.errors import BrokerError, BrokerRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from aiokafka.admin import AIOKafkaAdminClient

    from stream.cluster import Cluster

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer, "AIOKafkaAdminClient")
TIMEOUT_S, CLOSE_S = 5.0, 2.0
PORT = 9092
NOT_ALLOWED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
DENIED = frozenset({Librdkafka.TOPIC_AUTHORIZATION_FAILED, Librdkafka.GROUP_AUTHORIZATION_FAILED, Librdkafka.CLUSTER_AUTHORIZATION_FAILED})
"""The codes of librdkafka that mean the same."""
_DOES = {AIOKafkaConsumer: "read", AIOKafkaProducer: "write"}
GRANT = "see `tocsin topics acl` for what each role may do, and grant it, or come as somebody else"


async def reach(cluster: Cluster) -> None:
    """Return when one of the brokers lets us in. BrokerRefused when one knows who asks and says no; BrokerError when none answers."""
    errors = []
    for server in cluster.bootstrap.split(","):
        try:
            async with connected(cluster, server.strip()):
                return
        except (KafkaError, OSError, TimeoutError) as error:
            errors.append(unreachable(cluster, server.strip(), error))
    raise next((error for error in errors if isinstance(error, BrokerRefused)), errors[0])


def reach_now(cluster: Cluster) -> None:
    """`reach`, for callers that do not await."""
    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop of its own
        thread.submit(lambda: asyncio.run(reach(cluster))).result()


@asynccontextmanager
async def connected(cluster: Cluster, server: str) -> AsyncIterator[AIOKafkaConnection]:
    """A connection to this server (`host:port`) that has been used once; aiokafka's errors, OSError or TimeoutError."""
    host, _, port = server.rpartition(":")
    options: dict[str, Any] = cluster.aiokafka()
    del options["bootstrap_servers"]
    connection = AIOKafkaConnection(
        host.strip("[]") or server,
        int(port) if host else PORT,
        client_id="tocsin-reach",
        request_timeout_ms=int(TIMEOUT_S * 1000),
        **options,
    )
    try:
        async with asyncio.timeout(2 * TIMEOUT_S):
            await connection.connect()
            # A listener that wants a certificate or a password says so only now.
            await connection.send(MetadataRequest([]))
        yield connection
    finally:
        going = connection.close()
        if connection._protocol is not None:  # noqa: SLF001  (never connected: nothing ends)
            # TLS takes leave first: its loop must not end before.
            await asyncio.wait([going], timeout=CLOSE_S)


def unreachable(cluster: Cluster, server: str, error: BaseException) -> BrokerError:
    """What to say about a connection that failed so."""
    broker, protocol = f"the broker at {server}", f"security_protocol {cluster.security_protocol}"
    if isinstance(error, SaslAuthenticationFailed | UnsupportedSaslMechanismError | IllegalSaslStateError | ssl.SSLCertVerificationError):
        return BrokerRefused(_refusal(cluster, broker, error))
    if isinstance(error, ssl.SSLError):
        return BrokerError(f"no TLS with {broker}: {error.reason or error}; is {protocol} right for that port?")
    if isinstance(error, KafkaError | ConnectionResetError):
        msg = f"{broker} closes the connection of {cluster.identity}: it starts or stops just now, or {protocol} is not what it wants at that port"
        return BrokerError(f"{msg} ({words(error)})")
    return BrokerError(
        f"no Kafka broker answers at {server} ({words(error)}); is it running, is the address right (--bootstrap)? `tocsin demo` starts one"
    )


def _refusal(cluster: Cluster, broker: str, error: BaseException) -> str:
    user = f"user {cluster.sasl_username!r}"
    if isinstance(error, SaslAuthenticationFailed):
        why = f"no such user, or another password than the one in {cluster.sasl_password_file} ({cluster.sasl_mechanism})"
        return f"{broker} refused {user}: {why}; give the user this password, or write the user's into the file"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"{broker} does not offer {cluster.sasl_mechanism} to {user}: set sasl_mechanism to one that it offers"
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"{cluster.ssl_ca_file or 'what this system trusts'} does not vouch for it ({error.verify_message})"
        return (
            f"{broker} is not trusted, {why}; ssl_ca_file must hold who signed its certificate, which must name the host that was asked for"
        )
    return f"{broker} does not take passwords at that port: security_protocol {cluster.security_protocol} is for another listener"


def denied(cluster: Cluster, error: BaseException, what: str = "", to: str = "use") -> BrokerRefused:
    """What to say when the broker let us in and does not allow this; `what` is named where the error names nothing."""
    subject = "consumer group" if isinstance(error, GroupAuthorizationFailedError) else "topic"
    names = ", ".join(sorted(_names(error))) or what
    where = f"{subject} {names}" if names else "any topic" if to == "write" else "the cluster itself"
    return BrokerRefused(f"the broker does not allow {cluster.identity} to {to} {where}: {GRANT}")


def absent(cluster: Cluster, topics: Iterable[str]) -> BrokerError:
    """What to say about topics that a broker does not show: to whoever may not see them they are not there."""
    hidden = f", or hides it from {cluster.identity}: {GRANT}; where it is missing," if cluster.closed else ":"
    names = ", ".join(sorted(topics))
    return BrokerError(f"the broker has no topic {names}{hidden} create it with `tocsin topics create` and `tocsin region activate REGION`")


@contextmanager
def saying_who(cluster: Cluster, what: str = "", to: str = "use") -> Iterator[None]:
    """Inside, what the broker does not allow is raised as BrokerRefused, which says whom and what."""
    try:
        yield
    except NOT_ALLOWED as error:
        raise denied(cluster, error, what, to) from error


@asynccontextmanager
async def started(cluster: Cluster, client: Client, stop: Callable[[], Awaitable[None]], what: str = "") -> AsyncIterator[Client]:
    """A client of aiokafka's, started here and stopped at the end; BrokerError says why it could not be, or what it is not allowed.

    `what`: the topics it is for, to be named where the broker names none.
    """
    to = _DOES.get(type(client), "use")
    try:
        await client.start()
    except NOT_ALLOWED as error:
        await stop()
        raise denied(cluster, error, what, to) from error
    except (KafkaError, OSError) as error:
        await stop()
        await reach(cluster)
        msg = f"the broker at {cluster.bootstrap} did not answer just now ({words(error)}); try again"
        raise BrokerError(msg) from error
    try:
        with saying_who(cluster, what, to):
            yield client
    finally:
        await stop()


def said(error: BaseException) -> str:
    """An error of a send, for a log. What is not allowed is said so.

    >>> said(TopicAuthorizationFailedError("journal"))
    "the broker does not allow it (TopicAuthorizationFailedError('journal')): see `tocsin topics acl` for what each role may do, and grant it, or come as somebody else"
    """
    return f"the broker does not allow it ({error!r}): {GRANT}" if isinstance(error, NOT_ALLOWED) else repr(error)


def words(error: BaseException) -> str:
    """An error in a few words, also one that has no text of its own.

    >>> words(TimeoutError()), words(OSError("no route"))
    ('TimeoutError', 'no route')
    """
    return str(error) or type(error).__name__


def _names(error: BaseException) -> set[str]:
    found: set[str] = set()
    for argument in error.args:
        found |= (
            {argument} if isinstance(argument, str) else set(argument) if isinstance(argument, set | frozenset | list | tuple) else set()
        )
    return found
