"""What a gateway does on a disk that is full, and then can only be read: a program, because the disk is a mount of its own.

It prints what it finds, a line each; `test_spool_disk.py` runs it and reads that.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from stream.errors import TocsinError
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool
from stream.gateways.verdict import ToDoor, Verdict
from stream.settings import Settings

NOBODY = Settings(bootstrap="127.0.0.1:9")


async def run(disk: Path) -> None:
    """The whole life of a small disk."""
    spool = Spool(disk / "spool")
    sender = Sender(NOBODY, spool, patience_s=0.3)
    await sender.start()

    async def send(number: int) -> bool:
        try:
            return await sender.send([ToDoor("water", b"%d" % number + b" " * 10_000, (0,))]) is Verdict.STORED
        except TocsinError as error:
            print(f"refused: {type(error).__name__}: {error}")
            return False

    stored = 0
    while await send(stored):
        stored += 1
    print(f"stored: {stored}")
    remount(disk, "ro")
    print(f"read only: {await send(99)}, {len(spool.head(100))} can be read, {sender.pending} wait")
    remount(disk, "rw")
    (disk / "room").unlink()
    print(f"with room again: {await send(stored)}")
    await sender.stop()
    again = Spool(disk / "spool")
    print(f"after all: {len(again)}, damaged {again.damaged_bytes}, torn {again.torn_bytes}")
    again.close()


def remount(disk: Path, how: str) -> None:
    """Let the disk be `ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,bind,{how}", str(disk)], check=True)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(place)], check=True)
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    (place / "room").write_bytes(b"x" * 100_000)
    asyncio.run(run(place))
