"""A region folder becomes validated, immutable arrays with a hash."""
