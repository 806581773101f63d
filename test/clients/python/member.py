"""What the member programs in Python share: their command line, their lines and the end on SIGTERM. See ../member.ts."""

import argparse
import os
import signal


def member_order():
    parser = argparse.ArgumentParser()
    for name in ("brokers", "group", "topic"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--to")
    parser.add_argument("--assignor", choices=("eager", "cooperative"), default="eager")
    parser.add_argument("--protocol", choices=("classic", "consumer"), default="classic")
    parser.add_argument("--instance-id")
    parser.add_argument("--session-timeout-ms", type=int, default=6000)
    return parser.parse_args()


def _say(text):
    """Whole and at once: a process that is killed leaves no half of a line, and none waits in a buffer."""
    os.write(1, (text + "\n").encode())


def tell_assigned(partitions):
    _say("assigned " + ",".join(str(partition) for partition in sorted(partitions)))


def tell_read(records):
    if records:
        _say("\n".join(f"read {partition} {offset}" for partition, offset in records))


def tell_committed(partition, offset):
    _say(f"committed {partition} {offset}")


def tell_trouble(error):
    _say(f"trouble {type(error).__name__}: {error}".replace("\n", " "))


class Leaving:
    """True once SIGTERM has come."""

    def __init__(self):
        self.told = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, _number, _frame):
        self.told = True

    def __bool__(self):
        return self.told
