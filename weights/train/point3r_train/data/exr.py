"""Reader of depth maps in OpenEXR files: one part, scan lines, uncompressed or ZIP, half or float values.

Written from the format's public description (openexr.com, "OpenEXR File Layout"). Colour images, tiles and the other
compressions are refused by name.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

MAGIC = 20000630
# Lines per block of the compressions that are read: none, ZIP of one line, ZIP of sixteen.
LINES = {0: 1, 2: 1, 3: 16}
TYPES = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
MAX_SIDE = 1 << 14
# Channel names of depth, best first.
DEPTH = ("Z", "Y", "V", "depth", "D", "R")


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode("latin-1"), end + 1


def _attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    magic, version = struct.unpack_from("<II", data)
    if magic != MAGIC or version & 0xFF != 2:
        raise ValueError("not an OpenEXR file of version 2")
    if version & ~0xFF & ~0x400:
        raise ValueError("tiles, deep data and several parts are not read")
    found, at = {}, 8
    while data[at] != 0:
        name, at = _text(data, at)
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<I", data, at)
        found[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found, at + 1


def _channels(data: bytes) -> list[tuple[str, np.dtype]]:
    found, at = [], 0
    while data[at] != 0:
        name, at = _text(data, at)
        kind, _, across, down = struct.unpack_from("<iIii", data, at)
        if kind not in TYPES or (across, down) != (1, 1):
            raise ValueError(f"channel {name} is subsampled or of an unknown type")
        found.append((name, TYPES[kind]))
        at += 16
    return found


def _unzip(data: bytes, size: int) -> bytes:
    """Undoes the byte order and the differences that ZIP blocks are stored in."""
    if len(data) == size:
        return data  # stored as it is, because compression did not help
    expander = zlib.decompressobj()
    raw = np.frombuffer(expander.decompress(data, size), np.uint8)
    if raw.size != size:
        raise ValueError(f"a block holds {raw.size} bytes, expected {size}")
    steps = raw.astype(np.int64)
    steps[1:] -= 128
    values = np.cumsum(steps).astype(np.uint8)
    out = np.empty_like(values)
    half = (size + 1) // 2
    out[0::2], out[1::2] = values[:half], values[half:]
    return out.tobytes()


def decode(data: bytes) -> np.ndarray:
    """The depth channel `[H, W]` as f32. Raises `ValueError` with the reason."""
    try:
        header, at = _attributes(data)
        channels = _channels(header["channels"])
        compression = header["compression"][0]
        x0, y0, x1, y1 = struct.unpack("<iiii", header["dataWindow"])
    except (KeyError, IndexError, struct.error) as error:
        raise ValueError(f"the header is damaged: {error}") from error
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"{width}x{height} pixels cannot be")
    if compression not in LINES:
        raise ValueError(f"compression {compression} is not read: store it uncompressed or as ZIP")
    names = [name for name, _ in channels]
    wanted = names[0] if len(names) == 1 else next((name for name in DEPTH if name in names), None)
    if wanted is None:
        raise ValueError(f"no depth among the channels {', '.join(names)}")
    lines, row = LINES[compression], sum(kind.itemsize for _, kind in channels) * width
    out = np.empty((height, width), np.float32)
    try:
        offsets = struct.unpack_from(f"<{-(-height // lines)}Q", data, at)
        for offset in offsets:
            y, size = struct.unpack_from("<iI", data, offset)
            first, count = y - y0, min(lines, height - (y - y0))
            if not 0 <= first < height or offset + 8 + size > len(data):
                raise ValueError("a block lies outside the picture or the file")
            block = data[offset + 8 : offset + 8 + size]
            block = _unzip(block, count * row) if compression else block
            for line in range(count):
                start = line * row
                for name, kind in channels:
                    if name == wanted:
                        out[first + line] = np.frombuffer(block, kind, width, start)
                    start += kind.itemsize * width
    except (struct.error, zlib.error) as error:
        raise ValueError(f"damaged: {error}") from error
    return out


def read(file: Path) -> np.ndarray:
    """The depth channel of a file `[H, W]`, f32."""
    return decode(file.read_bytes())
