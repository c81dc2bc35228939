"""Bytes from a door become measurements or a refusal with its reason; stateless."""
