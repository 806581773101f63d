"""The other side of remote-driver.ts: takes calls as lines of JSON on standard input and answers them on standard output.

Every call runs in a thread of its own, because one may wait for records that a later one produces.
"""

import base64
import json
import sys
import threading
import traceback


def pack(data):
    return None if data is None else base64.b64encode(data).decode("ascii")


def unpack(text):
    return None if text is None else base64.b64decode(text)


def pack_record(offset, timestamp_ms, key, value, headers):
    return [offset, timestamp_ms, pack(key), pack(value), [[name, pack(data)] for name, data in headers]]


def serve(driver, error_code):
    """Runs until standard input ends. `error_code(exception)` is Kafka's number of an error a broker answered, or None."""
    writing = threading.Lock()

    def say(message):
        line = json.dumps(message)
        with writing:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def answer(call):
        try:
            say({"id": call["id"], "result": getattr(driver, call["method"])(**call["params"])})
        except Exception as error:
            traceback.print_exc()
            message = f"{type(error).__name__}: {error}"
            say({"id": call["id"], "error": {"code": error_code(error), "message": message}})

    say({"client": driver.client, "version": driver.version, "cannot": driver.cannot})
    for line in sys.stdin:
        threading.Thread(target=answer, args=[json.loads(line)], daemon=True).start()
