"""Sparse rows with labels <-> recordIO-protobuf, the format that SageMaker's built-in algorithms train on.

A record: a magic number, its length, a protobuf message `aialgs.data.Record`, zeros up to a multiple of four. The
message holds the row under the feature "values" (keys, values, width) and the label under "values", as AWS documents
it (Amazon SageMaker AI Developer Guide, "Common data formats for training").
"""

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray
from scipy import sparse

MAGIC = 0xCED7230A
VALUES = "values"
_HEAD = struct.Struct("<II")
_FIELD = descriptor_pb2.FieldDescriptorProto
_MAP_ENTRY = descriptor_pb2.MessageOptions(map_entry=True)


def write(file: BinaryIO, rows: sparse.csr_matrix, labels: NDArray[np.float32]) -> None:
    """rows float32 [n, width], labels float32 [n]."""
    made, width = _record(), rows.shape[1]
    for row, label in enumerate(labels):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        record = made()
        tensor = record.features[VALUES].float32_tensor
        tensor.keys.extend(rows.indices[part])
        tensor.values.extend(rows.data[part])
        tensor.shape.append(width)
        record.label[VALUES].float32_tensor.values.append(label)
        content = record.SerializeToString(deterministic=True)
        file.write(_HEAD.pack(MAGIC, len(content)) + content + bytes(-len(content) % 4))


def read(file: BinaryIO) -> tuple[sparse.csr_matrix, NDArray[np.float32]]:
    """Rows float32 [n, width] and labels float32 [n]. Raises ValueError for anything else."""
    keys, values, lengths, labels, width = [], [], [0], [], 0
    made = _record()
    for content in _contents(file):
        record = made.FromString(content)
        if VALUES not in record.features or VALUES not in record.label:
            raise ValueError(f"a record has no feature or no label {VALUES!r}")
        tensor = record.features[VALUES].float32_tensor
        # Without keys a tensor is dense.
        found = tensor.keys or range(len(tensor.values))
        keys.append(np.fromiter(found, np.int64, len(found)))
        values.append(np.fromiter(tensor.values, np.float32, len(tensor.values)))
        lengths.append(len(tensor.values))
        width = max(width, *tensor.shape, len(tensor.values) if not tensor.keys else 0)
        labels.append(record.label[VALUES].float32_tensor.values[0])
    if not labels:
        raise ValueError("there is no record")
    rows = (np.concatenate(values), np.concatenate(keys), np.cumsum(lengths))
    return sparse.csr_matrix(rows, shape=(len(labels), width)), np.array(labels, np.float32)


def _contents(file: BinaryIO) -> Iterator[bytes]:
    while head := file.read(_HEAD.size):
        magic, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
        content = file.read(length)
        if magic != MAGIC or len(content) < length:
            raise ValueError("not recordIO, or cut off: a record does not begin or end where it should")
        file.read(-length % 4)
        yield content


@cache
def _record() -> Any:
    """The class of aialgs.data.Record; of its tensors only the one that these rows use."""
    file = descriptor_pb2.FileDescriptorProto(name="aialgs.data.proto", package="aialgs.data", syntax="proto2")
    tensor = file.message_type.add(name="Float32Tensor")
    for number, (name, kind) in enumerate(
        (("values", _FIELD.TYPE_FLOAT), ("keys", _FIELD.TYPE_UINT64), ("shape", _FIELD.TYPE_UINT64)), start=1
    ):
        field = tensor.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_REPEATED)
        field.options.packed = True
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    value.field.add(
        name="float32_tensor", number=2, type=_FIELD.TYPE_MESSAGE, type_name=".aialgs.data.Float32Tensor",
        label=_FIELD.LABEL_OPTIONAL, oneof_index=0,
    )  # fmt: skip
    record = file.message_type.add(name="Record")
    for number, name in ((1, "features"), (2, "label")):
        entry = record.nested_type.add(name=f"{name.capitalize()}Entry", options=_MAP_ENTRY)
        entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
        entry.field.add(
            name="value", number=2, type=_FIELD.TYPE_MESSAGE, type_name=".aialgs.data.Value",
            label=_FIELD.LABEL_OPTIONAL,
        )  # fmt: skip
        record.field.add(
            name=name, number=number, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_REPEATED,
            type_name=f".aialgs.data.Record.{entry.name}",
        )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))
