"""Packed records: rendered sequences as one binary stream (format in docs/training.md).

Little endian. Header: magic `P3RW`, u32 version = 1, u32 frames, u32 width, u32 height, u64 seed. Then per frame:
rgb u8 [H, W, 3]; depth u16 [H, W] in millimetres (0 = none, 65535 = sky); pose f32 [4, 4] camera to world;
intrinsics f32 [3, 3]; motion mask u8 [H, W], 0 where nothing moves.
"""

from __future__ import annotations

import shlex
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..flags import Flag
from .frames import DataError, Frames, checked_intrinsics, checked_pose

MAGIC = b"P3RW"
VERSION = 1
HEADER = struct.Struct("<4sIIIIQ")
NONE, SKY = 0, 65535
# A record larger than this is a damaged header, not data.
MAX_SIDE, MAX_FRAMES = 4096, 4096


@dataclass(frozen=True)
class Header:
    """First bytes of a record."""

    frames: int
    width: int
    height: int
    seed: int

    @staticmethod
    def parse(data: bytes, file: Path | str) -> Header:
        magic, version, frames, width, height, seed = HEADER.unpack(data)
        if magic != MAGIC or version != VERSION:
            raise DataError("record", file, f"starts with {magic!r} version {version}, expected {MAGIC!r} {VERSION}")
        if not (0 < frames <= MAX_FRAMES and 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
            raise DataError("record", file, f"{frames} frames of {width}x{height} cannot be")
        return Header(frames, width, height, seed)

    @property
    def frame_bytes(self) -> int:
        pixels = self.width * self.height
        return pixels * 6 + 25 * 4


def _read_exactly(stream: BinaryIO, count: int, file: Path | str) -> bytes:
    parts = []
    while count > 0:
        part = stream.read(count)
        if not part:
            raise DataError("record", file, f"ends {count} bytes early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def decode_frames(header: Header, data: bytes, wanted: Sequence[int], file: Path | str) -> Frames:
    """Frames of a record whose payload is `data`."""
    h, w = header.height, header.width
    rgb, depth, poses, cameras, moving = [], [], [], [], []
    for index in wanted:
        at = index * header.frame_bytes
        rgb.append(np.frombuffer(data, np.uint8, h * w * 3, at).reshape(h, w, 3))
        at += h * w * 3
        millimetres = np.frombuffer(data, "<u2", h * w, at).reshape(h, w)
        depth.append(np.where(millimetres == SKY, -1, millimetres.astype(np.float32) / 1000).astype(np.float32))
        at += h * w * 2
        numbers = np.frombuffer(data, "<f4", 25, at)
        poses.append(checked_pose(numbers[:16], file))
        cameras.append(checked_intrinsics(numbers[16:], file))
        moving.append(np.frombuffer(data, np.uint8, h * w, at + 100).reshape(h, w) > 0)
    return Frames(np.stack(rgb), np.stack(depth), np.stack(poses), np.stack(cameras), True, np.stack(moving))


def read_records(stream: BinaryIO, name: Path | str = "stream") -> Iterator[tuple[Header, Frames]]:
    """All records of a stream, one after the other."""
    while first := stream.read(1):
        header = Header.parse(first + _read_exactly(stream, HEADER.size - 1, name), name)
        data = _read_exactly(stream, header.frames * header.frame_bytes, name)
        yield header, decode_frames(header, data, range(header.frames), name)


def write_record(stream: BinaryIO, frames: Frames, seed: int) -> None:
    """Appends one record; what the renderer writes."""
    count, h, w = frames.depth.shape
    stream.write(HEADER.pack(MAGIC, VERSION, count, w, h, seed))
    moving = np.zeros((count, h, w), bool) if frames.moving is None else frames.moving
    for i in range(count):
        millimetres = np.where(frames.depth[i] < 0, SKY, np.clip(np.rint(frames.depth[i] * 1000), 0, SKY - 1))
        stream.write(np.ascontiguousarray(frames.rgb[i]).tobytes())
        stream.write(millimetres.astype("<u2").tobytes())
        stream.write(frames.poses[i].astype("<f4").tobytes())
        stream.write(frames.intrinsics[i].astype("<f4").tobytes())
        stream.write((moving[i].astype(np.uint8) * 255).tobytes())


@dataclass
class PackedFiles:
    """Records in files (`*.p3rw`): every record is a scene, read in place."""

    root: Path
    name: str = "packed"
    max_stride: int = 8
    video_probability: float = 0.9
    flag: Flag = Flag.NONE

    def __post_init__(self) -> None:
        files = [self.root] if self.root.is_file() else sorted(self.root.glob("**/*.p3rw"))
        self._records: list[tuple[Path, int, Header]] = []
        for file in files:
            size, at = file.stat().st_size, 0
            with file.open("rb") as stream:
                while at < size:
                    stream.seek(at)
                    header = Header.parse(_read_exactly(stream, HEADER.size, file), file)
                    end = at + HEADER.size + header.frames * header.frame_bytes
                    if end > size:
                        raise DataError("record", file, f"ends {end - size} bytes early")
                    self._records.append((file, at + HEADER.size, header))
                    at = end
        if not self._records:
            raise DataError("missing-file", self.root, "no *.p3rw record here")

    def scene_count(self) -> int:
        return len(self._records)

    def frame_count(self, scene: int) -> int:
        return self._records[scene][2].frames

    def request(self, scenes: Sequence[int]) -> None:
        """Nothing to announce."""

    def load(self, scene: int, frames: Sequence[int]) -> Frames:
        file, at, header = self._records[scene]
        first, last = min(frames), max(frames)
        with file.open("rb") as stream:
            stream.seek(at + first * header.frame_bytes)
            data = _read_exactly(stream, (last - first + 1) * header.frame_bytes, file)
        return decode_frames(header, data, [f - first for f in frames], file)


@dataclass
class PackedCommand:
    """A renderer as an endless data set.

    `command` holds `{first}` and `{count}`; it writes the records of that many scenes, in order, and ends. Scenes
    that are asked for together and follow one another are rendered by one process, ahead of their use. A scene
    depends on its number alone, so a resumed run, or one with other processes, sees the same worlds.
    """

    command: str
    frames: int
    name: str = "render"
    max_stride: int = 8
    video_probability: float = 0.9
    flag: Flag = Flag.NONE

    def __post_init__(self) -> None:
        self._jobs: dict[int, _Job] = {}
        self._lock = threading.Lock()

    def scene_count(self) -> int:
        return 1 << 31

    def frame_count(self, scene: int) -> int:
        return self.frames

    def request(self, scenes: Sequence[int]) -> None:
        run: list[int] = []
        with self._lock:
            for scene in sorted(set(scenes) - set(self._jobs)):
                if run and scene != run[-1] + 1:
                    self._launch(run)
                    run = []
                run.append(scene)
            self._launch(run)

    def load(self, scene: int, frames: Sequence[int]) -> Frames:
        self.request([scene])
        with self._lock:
            job = self._jobs.pop(scene)
        header, data = job.take(scene)
        if header.frames != self.frames:
            detail = f"scene {scene} has {header.frames} frames, --data says {self.frames}"
            raise DataError("record", self.command, detail)
        return decode_frames(header, data, frames, self.command)

    def _launch(self, run: list[int]) -> None:
        if run:
            words = [w.format(first=run[0], count=len(run)) for w in shlex.split(self.command)]
            self._jobs.update(dict.fromkeys(run, _Job(words, run[0], len(run))))


class _Job:
    """One renderer process and its scenes, read as fast as they come."""

    def __init__(self, words: list[str], first: int, count: int) -> None:
        self._records: dict[int, tuple[Header, bytes]] = {}
        self._problem: DataError | None = None
        self._news = threading.Condition()
        try:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        except OSError as error:
            raise DataError("record", words[0], f"cannot be started: {error}") from error
        threading.Thread(target=self._read, args=(shlex.join(words), first, count), daemon=True).start()

    def take(self, scene: int) -> tuple[Header, bytes]:
        """Waits for a scene."""
        with self._news:
            self._news.wait_for(lambda: scene in self._records or self._problem)
            if scene not in self._records:
                assert self._problem is not None
                raise self._problem
            return self._records.pop(scene)

    def _read(self, words: str, first: int, count: int) -> None:
        stream = self._process.stdout
        assert stream is not None
        problem: DataError | None = None
        try:
            for scene in range(first, first + count):
                header = Header.parse(_read_exactly(stream, HEADER.size, words), words)
                record = header, _read_exactly(stream, header.frames * header.frame_bytes, words)
                with self._news:
                    self._records[scene] = record
                    self._news.notify_all()
        except DataError as error:
            problem = error
        stream.close()
        self._process.wait()
        with self._news:
            self._problem = problem
            self._news.notify_all()
