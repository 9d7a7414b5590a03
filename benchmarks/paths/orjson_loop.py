"""What a script would do: each line by orjson, and good and all events by service.

Arguments: the file. Prints the number of events.
"""

import sys

import orjson


def main(path: str) -> None:
    """Count."""
    good: dict[str, int] = {}
    total: dict[str, int] = {}
    with open(path, "rb") as lines:
        for line in lines:
            event = orjson.loads(line)
            service = event["service"]
            total[service] = total.get(service, 0) + 1
            if event["status_code"] < 500:
                good[service] = good.get(service, 0) + 1
    print(sum(total.values()))


if __name__ == "__main__":
    main(sys.argv[1])
