"""All speed figures with one command: `python tests/benchmarks/speed.py [--small] [throughput|latency|cities ...]`.

Everything runs against the embedded Apache Kafka broker on this machine, which shares its cores with what is measured: elapsed times and
latencies depend on the machine, CPU times per measurement much less. Nothing here is asserted except that the outputs agree.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.runtime.broker import Broker
from tests.benchmarks import cities, latency, throughput
from tests.benchmarks.generated import Size

BENCHMARKS = ("throughput", "latency", "cities")


def run(names: list[str], *, small: bool, profile: Path | None = None) -> None:
    """Run the benchmarks named, print their figures."""
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before the start, Python {sys.version.split()[0]}, {'small' if small else 'full'} size")
    with tempfile.TemporaryDirectory(prefix="tocsin-speed-") as name, Broker.start(Path(name) / "broker") as broker:
        for benchmark in names:
            folder = Path(name) / benchmark
            folder.mkdir()
            began = time.monotonic()
            print(f"\n== {benchmark}")
            if benchmark == "throughput":
                size = Size(1_000, 30) if small else Size(10_000, 300)
                runs = throughput.Runs(size, 1, 10, 3) if small else throughput.Runs(size, 5, 40, 3)
                print(throughput.table(throughput.measure(broker.bootstrap, folder, runs, profile)))
            elif benchmark == "latency":
                for rate, seconds in ((200, 4),) if small else ((1_000, 20), (20_000, 15)):
                    print(
                        latency.measure(
                            broker.bootstrap, folder, Size(300, 30) if small else Size(10_000, 300), latency.Pace(rate, seconds)
                        )
                    )
            else:
                print(cities.measure(broker.bootstrap, folder, 40 if small else 1_000))
            print(f"({time.monotonic() - began:.0f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", choices=[*BENCHMARKS, []], help="which to run; all of them without a name")
    parser.add_argument("--small", action="store_true", help="a short run that only shows that everything works")
    parser.add_argument("--profile", type=Path, help="run the worker of the throughput benchmark under cProfile and write this file")
    given = parser.parse_args()
    # A run that is told to stop must end the processes it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run(given.benchmarks or list(BENCHMARKS), small=given.small, profile=given.profile)


if __name__ == "__main__":
    main()
