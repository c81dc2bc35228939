"""The pure fold over the journal: detection, incidents, warnings."""
