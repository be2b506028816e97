"""Graph to graph transformations, one per file."""
