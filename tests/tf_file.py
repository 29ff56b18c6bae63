"""A TensorFlow checkpoint (an index in LevelDB's table format, one data file) with the names of Google's BERT, without TensorFlow.

    tf_file.save(folder / "bert_model.ckpt", tensors)      tensors: (transformers' name, shape, floats)
"""
import struct
from pathlib import Path

FLOAT = 1
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def turned(shape, values):
    rows, cols = shape
    return (cols, rows), [values[r * cols + c] for c in range(cols) for r in range(rows)]


def variable(name, shape, values):
    """(Google's name, shape, values) of a tensor of transformers'; other names stay."""
    if not name.startswith("bert."):
        return name, shape, values
    name = name.replace(".", "/").replace("layer/", "layer_")
    path, last = name.rsplit("/", 1)
    if path.endswith("embeddings") and last == "weight":
        return path, shape, values
    if path.endswith("LayerNorm"):
        return f"{path}/{'gamma' if last == 'weight' else 'beta'}", shape, values
    if last == "weight":
        return f"{path}/kernel", *turned(shape, values)
    return name, shape, values


def block(entries, compression=0):
    """A block of the table without shared beginnings of keys, its trailer included."""
    data = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    data += struct.pack("<II", 0, 1) + bytes([compression])
    return data + masked_crc(data)


def save(prefix, tensors, compression=0):
    """Also with what a trainer leaves: the moments of each variable, and the number of steps."""
    variables = [variable(*t) for t in tensors]
    variables += [(f"{n}/adam_{m}", s, [0.5] * len(v)) for n, s, v in variables for m in "mv"] + [("global_step", (), [7.0])]
    data, entries = b"", [(b"", number(1, 1))]
    for name, shape, values in sorted(variables):
        piece = struct.pack(f"<{len(values)}f", *values)
        dims = b"".join(message(2, number(1, d)) for d in shape)
        entries.append((name.encode(), number(1, FLOAT) + message(2, dims) + number(4, len(data)) + number(5, len(piece))
                        + varint(6 << 3 | 5) + masked_crc(piece)))
        data += piece
    body = block(entries, compression)
    handles = [varint(0) + varint(len(body) - 5)]
    for part in (block([]), block([(entries[-1][0], handles[0])])):
        handles.append(varint(len(body)) + varint(len(part) - 5))
        body += part
    footer = (handles[1] + handles[2]).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    Path(f"{prefix}.index").write_bytes(body + footer)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
