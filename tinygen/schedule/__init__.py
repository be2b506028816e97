"""Which rows of which layer are computed when."""
