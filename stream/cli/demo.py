"""`tocsin demo`: a real broker, a real worker, and two regions whose measurements become warnings before your eyes."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from stream.cli.options import AsJson
from stream.errors import TocsinError

if TYPE_CHECKING:
    from stream.cli.screen import Screen

REGIONS = ("songhua", "example")
SECONDS_A_REGION = 15.0
Which = Annotated[
    list[str] | None, typer.Option("--region", help="Play this region (path or shipped name). Default: songhua, then example.")
]
Speed = Annotated[
    str | None, typer.Option(help=f"`full`, or how many times as fast as observed. Default: {SECONDS_A_REGION:.0f} s a region.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the broker and its topics there at the end, until Ctrl-C.")]


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def history_of(folder: Path) -> list[Path]:
    """The measurements a region folder brings along to be played."""
    return sorted(folder.glob("history.*"))


def demo(regions: Which = None, speed: Speed = None, keep: Keep = False, as_json: AsJson = False) -> None:
    """Start everything on this machine, play history, show the warnings, and leave nothing behind. Not for production.

    Needs no configuration: the first start downloads Apache Kafka (43 MB, kept in the cache). Ctrl-C ends it at any time.
    """
    from stream.cli.folders import region_folder
    from stream.cli.screen import Screen

    began = time.monotonic()
    folders = [region_folder(name) for name in regions or REGIONS]
    absent = [folder for folder in folders if not history_of(folder)]
    if absent:
        msg = f"{absent[0]} has no history.csv or history.jsonl to play; `tocsin feed` plays any files into a broker of yours"
        raise TocsinError(msg)
    screen = Screen(as_json=as_json, began=began)
    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    stack = ExitStack()
    try:
        bootstrap = _play_all(screen, folders, speed, stack)
        if keep:
            screen.say(f"\nThe broker stays at {bootstrap} until Ctrl-C.")
            signal.pause()
    finally:
        # Another Ctrl-C must not keep the rest from being cleaned up.
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *before)}
        stack.close()
        for number, handler in (ignored | before).items():
            signal.signal(number, handler)
        screen.step("everything stopped, nothing left behind but the downloaded Kafka in the cache")


def _play_all(screen: Screen, folders: list[Path], speed: str | None, stack: ExitStack) -> str:
    """Start the broker and play the regions one after the other; what must be ended is put on the stack. The broker's address."""
    import asyncio
    import shutil
    import tempfile

    from stream.cli.demo_play import lane_of, play
    from stream.cli.progress import bar
    from stream.region.bundle import bundle
    from stream.runtime.broker import Broker
    from stream.runtime.jars import pinned

    screen.say("[bold yellow]This is a demo, not for production.[/] Everything runs on this machine and is removed at the end.")
    work = Path(tempfile.mkdtemp(prefix="tocsin-demo-"))
    stack.callback(shutil.rmtree, work)
    with bar("downloading Apache Kafka (once)", len(pinned())) as advance:
        broker = stack.enter_context(Broker.start(work / "broker", on_progress=lambda _done, _total: advance(1)))
    screen.step(f"broker: Apache Kafka at {broker.bootstrap}, everything in {work}")
    told = {}
    for folder in folders:
        settings = lane_of(broker.bootstrap, bundle(folder).name)
        region, found = asyncio.run(play(screen, settings, folder, work, (speed, SECONDS_A_REGION)))
        screen.outcomes(region, found)
        told[region.name] = found
    screen.summary(told, broker.bootstrap)
    return broker.bootstrap
