"""A process that behaves like the server's entry point: flags, a line in the log, SIGTERM ends it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from tests.client.fake_server import FakeServer


def main() -> None:
    parser = argparse.ArgumentParser()
    for flag in ("--listen", "--metrics", "--data-dir"):
        parser.add_argument(flag, required=True)
    arguments = parser.parse_args()
    if arguments.metrics.endswith(":1"):
        sys.exit("PORT_TAKEN: the metrics port is taken")
    ended = threading.Event()

    def stop(*_: object) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    with FakeServer(target=arguments.listen):
        ended.wait()


if __name__ == "__main__":
    main()
