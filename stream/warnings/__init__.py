"""What a city receives: records become texts, JSON and headers."""
