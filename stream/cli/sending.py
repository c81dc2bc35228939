"""A city's word, written to its own topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

    from stream.settings import Settings


async def send(settings: Settings, city: str, made: msgspec.Struct, key: str) -> int:
    """Write an answer or a statement to `acknowledgements.<city>`; when the broker took it (ms). PublishFailed if it did not."""
    import msgspec
    from aiokafka.errors import KafkaError

    from stream.errors import PublishFailed
    from stream.runtime.feeding import producer
    from stream.runtime.reach import NOT_ALLOWED
    from stream.runtime.topics import Topics

    topic = Topics(settings.prefix).acknowledgements(city)
    async with producer(settings, topic) as sender:
        try:
            meta = await sender.send_and_wait(topic, msgspec.json.encode(made), key=key.encode(), partition=0)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"it was not taken on {topic}: {error!r}; run the command again"
            raise PublishFailed(msg) from error
    return int(meta.timestamp)
