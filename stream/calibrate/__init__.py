"""Learning a region's thresholds and levels from its history, and saying how often they then alarmed on later data."""
