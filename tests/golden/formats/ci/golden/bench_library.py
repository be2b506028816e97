"""Checks the bench firmware on a serial line that is a socket: keywords for Robot Framework, or a program.

    python3 golden/bench_library.py golden/MODEL.json HOST:PORT         the line is served there
    python3 golden/bench_library.py golden/MODEL.json COMMAND ...       starts COMMAND, which connects to its {port}

Needs nothing but Python. The lines are those of firmware/common/bench.c.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import zlib

__all__ = [
    "arena_should_be_as_planned",
    "connect",
    "disconnect",
    "firmware_should_be_ready",
    "golden_inputs_should_give_golden_outputs",
    "instructions_should_be_within_the_budget",
    "model_should_be_the_one_of_this_project",
]

ROBOT_LIBRARY_SCOPE = "GLOBAL"
SECONDS = float(os.environ.get("BENCH_SECONDS", "120"))
"""How long an answer may take: an emulator is slow, but something that never ends has to."""

_line = None
_golden = None


class Line:
    """The firmware's serial line."""

    def __init__(self, connection):
        self._connection = connection
        self._received = b""

    def close(self):
        self._connection.close()

    def write(self, data):
        try:
            self._connection.sendall(data)
        except OSError as problem:
            raise AssertionError(f"the serial line was closed: {problem}") from None

    def read(self, count):
        while len(self._received) < count:
            self._receive()
        data, self._received = self._received[:count], self._received[count:]
        return data

    def read_line(self):
        while b"\n" not in self._received:
            self._receive()
        line, _, self._received = self._received.partition(b"\n")
        return line.decode("ascii", "replace").strip()

    def _receive(self):
        self._connection.settimeout(SECONDS)
        try:
            data = self._connection.recv(4096)
        except TimeoutError:
            raise AssertionError(f"the firmware has said nothing for {SECONDS:g} s") from None
        except OSError as problem:
            raise AssertionError(f"the serial line was closed: {problem}") from None
        if not data:
            raise AssertionError("the serial line was closed")
        self._received += data

    def ask(self, request, word):
        """Sends a request and returns the fields of the answer."""
        self.write(f"tg {request}\n".encode("ascii"))
        return self.expect(word)

    def expect(self, word):
        """The fields of the next answer, which is `tg WORD key=value ... sum=CRC`; other people's lines are skipped."""
        while True:
            line = self.read_line()
            if not line.startswith("tg "):
                continue
            said, _, checksum = line.rpartition(" sum=")
            if checksum != f"{zlib.crc32(said.encode('ascii', 'replace')):08x}":
                raise AssertionError(f"a line arrived damaged: {line}")
            found, *words = said.split(" ")[1:]
            if found == word:
                return dict(item.split("=", 1) for item in words)
            if found != "hello":  # which it says by itself, too, when it has booted
                raise AssertionError(f"found '{line}', expected 'tg {word}'")


def connect(golden, host, port):
    """Connects to a serial line that is served on a port, and reads the golden file."""
    global _line, _golden
    with open(golden, encoding="utf-8") as file:
        _golden = json.load(file)
    end = time.monotonic() + SECONDS
    while True:
        try:
            _line = Line(socket.create_connection((host, int(port)), timeout=SECONDS))
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def disconnect():
    """Closes the line."""
    global _line
    if _line is not None:
        _line.close()
    _line = None


def firmware_should_be_ready():
    """It answers, and its weights are what was linked."""
    _line.write(b"\n")
    hello = _line.ask("hello", "hello")
    assert hello.get("weights") != "damaged", "the weights in flash are damaged"


def model_should_be_the_one_of_this_project():
    """The firmware has the hash of the golden file's model, on its board."""
    hello = _line.ask("hello", "hello")
    for key in ("model", "sha256", "board"):
        assert hello[key] == _golden[key], f"{key}: found {hello[key]}, expected {_golden[key]}"


def arena_should_be_as_planned():
    """The firmware works in as many bytes as tinygen has planned, and its stack is deep enough."""
    memory = _line.ask("memory", "memory")
    found, planned = int(memory["arena"]), _golden["arena_bytes"]
    assert found == planned, f"the arena has {found} bytes, planned were {planned}"
    used, reserved = int(memory["stack_used"]), int(memory["stack"])
    assert used < reserved, f"the stack has used all of its {reserved} bytes"


def golden_inputs_should_give_golden_outputs():
    """Every sample's outputs, bit for bit."""
    for number, sample in enumerate(_golden["samples"]):
        _infer(sample)
        for index, expected in enumerate(sample["outputs"]):
            answer = _line.ask(f"output {index}", "bytes")
            found = _line.read(int(answer["bytes"]))
            expected = base64.b64decode(expected)
            assert len(found) == len(expected), f"output {index} has {len(found)} bytes, expected {len(expected)}"
            wrong = [i for i in range(len(found)) if found[i] != expected[i]]
            if wrong:
                at = f"byte {wrong[0]} is 0x{found[wrong[0]]:02x}, expected 0x{expected[wrong[0]]:02x}"
                raise AssertionError(f"sample {number}, output {index}: {len(wrong)} bytes differ; {at}")


def instructions_should_be_within_the_budget():
    """What the firmware's counter counts in an inference; on an emulator that counts, they are instructions."""
    count, budget = _infer(_golden["samples"][0]), _golden["instructions_at_most"]
    assert count > 0, "the firmware's counter stands still: this emulator does not count"
    assert count <= budget, f"an inference takes {count} instructions, the budget is {budget}"
    return count


def _infer(sample):
    """Loads a sample's inputs, runs the model from its first state, and returns what the firmware has counted."""
    _line.ask("reset", "reset")
    for index, content in enumerate(sample["inputs"]):
        data = base64.b64decode(content)
        wanted = int(_line.ask(f"load {index} {zlib.crc32(data):08x}", "send")["bytes"])
        assert wanted == len(data), f"input {index} has {wanted} bytes in the firmware, {len(data)} in the golden file"
        _line.write(data)
        answer = _line.expect("loaded")
        assert int(answer["input"]) == index
    ran = _line.ask("infer", "ran")
    assert int(ran["status"]) == 0, f"the model's invoke function returned {ran['status']}"
    return int(ran["count"], 0)


def _main(golden, *where):
    """Every check, one line each; the exit code is the number of those that failed."""
    process, server = None, None
    if len(where) == 1 and ":" in where[0]:
        connect(golden, *where[0].rsplit(":", 1))
    else:
        global _line, _golden
        with open(golden, encoding="utf-8") as file:
            _golden = json.load(file)
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        port = str(server.getsockname()[1])
        process = subprocess.Popen([word.replace("{port}", port) for word in where])
        _line = Line(server.accept()[0])
    failed = 0
    try:
        for check in (
            firmware_should_be_ready,
            model_should_be_the_one_of_this_project,
            golden_inputs_should_give_golden_outputs,
            arena_should_be_as_planned,
        ):
            try:
                check()
                print(f"ok      {check.__name__.replace('_', ' ')}", flush=True)
            except AssertionError as problem:
                failed += 1
                print(f"FAILED  {check.__name__.replace('_', ' ')}: {problem}", flush=True)
    finally:
        disconnect()
        if process is not None:
            process.kill()
            process.wait()
            server.close()
    return failed


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(_main(*sys.argv[1:]))
