"""`tocsin worker` as a module, for tests that start it as a child process; all settings come from the environment."""

from __future__ import annotations

import sys

from stream.cli.main import main

if __name__ == "__main__":
    sys.argv = ["tocsin", "worker"]
    main()
