"""The paths compared with, each a program: `PATH ADDRESS TOPIC EVENTS`.

Each prints one JSON object: `events` counted between the first and the last, and the `wall_s` and
`cpu_s` (of the process, all threads) between them.
"""
