"""What happens to a codec's process stays there: it crashes, hangs, swells or errs, and this one goes on."""

import ctypes
import os
import time
from collections.abc import Callable

import pytest

from functions.imaging.isolation import Ended, filled


def crash(_buffer: memoryview) -> None:
    ctypes.string_at(0)


def err(_buffer: memoryview) -> None:
    raise ValueError("Phantom^One")


def leave(_buffer: memoryview) -> None:
    raise SystemExit(0)


def swell(_buffer: memoryview) -> None:
    bytearray(1 << 30)


def spin(_buffer: memoryview) -> None:
    while True:
        pass


def sleep(_buffer: memoryview) -> None:
    time.sleep(600)


def test_what_was_written_is_there() -> None:
    def work(buffer: memoryview) -> None:
        buffer[:] = b"abc"

    assert filled(3, work)[:] == b"abc"


@pytest.mark.parametrize("work", [crash, err, swell, sleep, leave])
def test_what_does_not_end_well_is_told_without_a_word_of_it(
    work: Callable[[memoryview], None], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Ended) as ended:
        filled(10, work, seconds=1, spare=256 << 20)

    assert "Phantom" not in f"{ended.value!r} {ended.value.__context__!r}"
    assert capfd.readouterr() == ("", "")


def test_what_a_codec_prints_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    def talk(buffer: memoryview) -> None:
        os.write(1, b"Phantom^One")
        os.write(2, b"Phantom^One")
        buffer[:] = b"x"

    assert filled(1, talk)[:] == b"x"
    assert capfd.readouterr() == ("", "")


def test_no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    fork, children = os.fork, list[int]()

    def told() -> int:
        child = fork()
        children.append(child)
        return child

    monkeypatch.setattr(os, "fork", told)
    for work in (crash, err, spin):
        with pytest.raises(Ended):
            filled(10, work, seconds=1)

    assert len(children) == 3
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)
