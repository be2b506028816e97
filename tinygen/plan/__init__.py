"""Where every byte of the arena lives."""
