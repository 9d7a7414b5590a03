"""`python -m servicelevel`."""

from servicelevel.entrypoints.cli import main

if __name__ == "__main__":
    main()
