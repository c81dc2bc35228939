"""The product's worker with settings of TOCSIN_... variables, as a program for chaos runs."""

from __future__ import annotations

import logging
import sys

from stream.runtime.worker import run_worker
from stream.settings import load

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    sys.exit(run_worker(load()))
