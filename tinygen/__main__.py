"""`python -m tinygen` is `tinygen`."""

from tinygen.cli import main

main()
