"""Detectors: one idea per file, each a pure step over arrays of series (`base.py` is the contract)."""
