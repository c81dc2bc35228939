"""Tocsin's service: records, regions, runtime, the fold, warnings and the command line."""
