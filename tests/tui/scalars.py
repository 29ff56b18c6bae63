"""Event files as TensorBoard's writers make them, for tests; independent of the program's own writer."""
import struct
from pathlib import Path

TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
    TABLE.append(n)


def masked_crc(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def record(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def event(tag, step, wall, value):
    scalar = field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    return record(b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step) + field(5, field(1, scalar)))


def write(run, rows, wall=1.7e9):
    """rows: (tag, step, value). Appends to the run's one event file; a step takes two seconds."""
    path = Path(run) / "events.out.tfevents.1700000000.test.1"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"" if path.exists() else record(b"\x09" + struct.pack("<d", wall) + field(3, b"brain.Event:2"))
    data += b"".join(event(tag, step, wall + 2 * step, value) for tag, step, value in rows)
    with path.open("ab") as file:
        file.write(data)


def batches(run, steps):
    """The run's file of batches. steps: (step, [(row, window, loss)])."""
    with (Path(run) / "batches").open("ab") as file:
        for step, rows in steps:
            body = b"\x08" + varint(step) + field(2, b"".join(varint(row) for row, _, _ in rows))
            if any(window for _, window, _ in rows):
                body += field(3, b"".join(varint(window) for _, window, _ in rows))
            file.write(record(body + field(4, b"".join(struct.pack("<f", loss) for _, _, loss in rows))))
