"""`python -m tinygen` is `tinygen`."""

from tinygen.cli import main

if __name__ == "__main__":
    main()
