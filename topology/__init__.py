"""Footprints: which cities a source reaches, when, how strongly, how sure (`base.py` is the contract)."""
