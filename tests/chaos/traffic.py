"""Measurements that keep flowing through every fault, and the ledger of those the broker acknowledged."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from tests.runtime.lane import door_producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.settings import Settings


class Traffic:
    """Calls `make(step)` every `pause_s` for (topic, partition, value, item) and sends them; `acknowledged` holds the items the broker took."""

    def __init__(self, settings: Settings, make: Callable[[int], Iterable[tuple[str, int, bytes, Any]]], pause_s: float) -> None:
        self._producer = door_producer(settings)
        self._make = make
        self._pause_s = pause_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged: set[Any] = set()
        self.failed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()
        assert self._producer.flush(120) == 0

    def _run(self) -> None:
        step = 0
        while not self._ending.wait(self._pause_s):
            step += 1
            for topic, partition, value, item in self._make(step):
                self._producer.produce(
                    topic, value, partition=partition, on_delivery=lambda error, _, item=item: self._on_delivery(error, item)
                )
            self._producer.poll(0)

    def _on_delivery(self, error: object, item: Any) -> None:
        if error is None:
            self.acknowledged.add(item)
        else:
            self.failed += 1
