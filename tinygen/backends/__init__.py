"""Turn a graph into a tree of C sources."""
