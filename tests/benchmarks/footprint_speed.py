"""Speed of footprints with one command: `python tests/benchmarks/footprint_speed.py [--small] [--out FOLDER] [river|wind|travel ...]`.

Every part is a file `footprint_speed_<name>.py` with `run(small) -> list[Row]`. Each runs in a process of its own, so that the memory and
the caches of one say nothing about another. Figures depend on the machine; contestants of one question are measured in the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.footprint_rows import Row, table

ROOT = Path(__file__).parents[2]
PREFIX = "footprint_speed_"


def parts() -> list[str]:
    """The parts there are, by their names."""
    return sorted(path.stem.removeprefix(PREFIX) for path in Path(__file__).parent.glob(f"{PREFIX}*.py"))


def run_part(name: str, *, small: bool) -> list[Row]:
    """The rows of one part, measured in a process of its own."""
    command = [sys.executable, __file__, "--part", name, *(["--small"] if small else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        problem = f"part {name} ended with {done.returncode}:\n{done.stderr}"
        raise RuntimeError(problem)
    return [Row(*row) for row in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*parts(), []], help="which to run; all of them without a name")
    parser.add_argument("--small", action="store_true", help="a short run that only shows that everything works")
    parser.add_argument("--out", type=Path, help="also write the rows to FOLDER/footprint_speed.json")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        rows = import_module(f"tests.benchmarks.{PREFIX}{given.part}").run(given.small)
        print(json.dumps(rows))
        return
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} cores, load {load:.1f} before the start, Python {sys.version.split()[0]}, {'small' if given.small else 'full'} size"
    )
    rows = [row for name in given.parts or parts() for row in run_part(name, small=given.small)]
    print(table(rows))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "footprint_speed.json").write_text(json.dumps([row._asdict() for row in rows], indent=1), "utf-8")


if __name__ == "__main__":
    main()
