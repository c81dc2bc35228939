"""Tools of others that these tests run. In CI each must be there; elsewhere a test that lacks one is skipped and says so."""

from __future__ import annotations

import os
import shutil

import pytest


def need(*tools: str) -> None:
    """Fail in CI, skip elsewhere, when one of these is not on the PATH."""
    missing = [tool for tool in tools if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}; .ci/run installs it by its package's name")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
