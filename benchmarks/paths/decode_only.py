"""The ceiling: lines are decoded by msgspec into events, checked as such, and dropped.

Arguments: the file. Prints the number of events.
"""

import sys

import msgspec

from servicelevel.schemas.events import Event


def main(path: str) -> None:
    """Decode."""
    decode = msgspec.json.Decoder(Event).decode
    count = 0
    with open(path, "rb") as lines:
        for line in lines:
            decode(line)
            count += 1
    print(count)


if __name__ == "__main__":
    main(sys.argv[1])
