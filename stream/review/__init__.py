"""Looking back: the same accept and fold without a broker."""
