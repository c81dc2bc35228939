"""The real broker, once for all tests that need it; properties without deadlines: a busy machine proves nothing about a law; how two processes share tests."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from stream.runtime.broker import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")
TOGETHER = {
    # They kill, wait and count seconds: one at a time.
    "faults": ("tests/chaos/",),
    # They look at two histories that are played once.
    "played": tuple(f"tests/scenarios/test_{name}.py" for name in ("beijing", "danube", "replay_equals_topics")),
    # The same for every golden scenario.
    "lives": ("tests/scenarios/test_life_",),
}


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Apache Kafka on loopback with a data folder of its own. Do not stop it: others use it (start your own for faults)."""
    with Broker.start(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """With `-n 2`: a file's tests stay in one process, for they share what was set up; so do the files that stand TOGETHER."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((name for name, starts in TOGETHER.items() if file.startswith(starts)), file)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command that runs inside a test sets up the log of its process; the next test finds it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: one.level for name, one in logging.Logger.manager.loggerDict.items() if isinstance(one, logging.Logger)}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, one in logging.Logger.manager.loggerDict.items():
        if isinstance(one, logging.Logger):
            one.setLevel(levels.get(name, logging.NOTSET))


@pytest.fixture
def fresh_prefix() -> str:
    """A topic prefix no other test uses, as replays and exercises have one."""
    return f"t{uuid.uuid4().hex[:10]}."
