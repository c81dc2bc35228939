"""The nouns that cross a topic, and their bytes."""
