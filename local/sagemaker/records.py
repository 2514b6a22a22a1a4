"""Bytes of an object -> payloads of requests, and their answers -> one object, as batch transform cuts and joins."""

from collections.abc import Iterable, Iterator

from local.sagemaker.jobs import JobFailedError

MIB = 1 << 20


def payloads(data: bytes, split: str, strategy: str, largest: int) -> Iterator[bytes]:
    """Payloads of at most `largest` bytes (0 = any). `split` is None or Line, `strategy` SingleRecord or MultiRecord.

    Raises JobFailedError for a record that is larger.
    """
    lines = [line for line in data.splitlines(keepends=True) if line.strip()] if split == "Line" else [data]
    batch = b""
    for line in lines:
        if largest and len(line) > largest:
            raise JobFailedError(
                f"ClientError: A record of {len(line)} bytes is larger than MaxPayloadInMB ({largest // MIB})."
            )
        if batch and (strategy == "SingleRecord" or (largest and len(batch) + len(line) > largest)):
            yield batch
            batch = b""
        batch += line
    if batch:
        yield batch


def assembled(answers: Iterable[bytes], assembly: str) -> bytes:
    """`assembly` None: one after the other; Line: each ends with a newline."""
    if assembly == "Line":
        return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)
    return b"".join(answers)
