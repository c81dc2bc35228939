"""A footprint that a person can look at: the question in words, the answer as rows, GeoJSON and a map."""
