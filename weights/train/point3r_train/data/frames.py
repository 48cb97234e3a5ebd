"""What every reader returns, and the errors that every reader may raise.

Conventions: camera x right, y down, z forward; poses camera to world; depth in metres along z; pixel (0, 0) has its
centre at (0, 0), so a pixel looks along ((u - cx) / fx, (v - cy) / fy, 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ..flags import Flag

Problem = Literal[
    "missing-file", "unreadable", "pose-size", "pose-not-finite", "pose-not-rigid", "intrinsics", "mixed-resolution",
    "too-few-frames", "no-depth", "record",
]  # fmt: skip


class DataError(Exception):
    """Input that cannot be trained on: a named problem and the file that has it."""

    def __init__(self, problem: Problem, file: Path | str, detail: str) -> None:
        super().__init__(f"{problem}: {file}: {detail}")
        self.problem: Problem = problem
        self.file = Path(file)


@dataclass(frozen=True)
class Frames:
    """Frames of one scene, all of one size."""

    rgb: np.ndarray  # u8 [T, H, W, 3]
    depth: np.ndarray  # f32 [T, H, W]; 0 = none, negative = sky
    poses: np.ndarray  # f64 [T, 4, 4]
    intrinsics: np.ndarray  # f64 [T, 3, 3]
    metric: bool = True
    moving: np.ndarray | None = None  # bool [T, H, W]


@dataclass
class BadInput:
    """What to do with bad input: stop with its error, or leave it out and count it."""

    skip: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def handle(self, error: DataError) -> None:
        """Raises the error, or counts it."""
        if not self.skip:
            raise error
        self.counts[error.problem] += 1
        self.first.setdefault(error.problem, str(error))

    def summary(self) -> str:
        """One line per problem, with an example."""
        return "\n".join(f"skipped {n} x {self.first[p]}" for p, n in sorted(self.counts.items()))


class Source(Protocol):
    """A data set: scenes that hold frames."""

    name: str
    max_stride: int
    video_probability: float
    # What the ground truth of all its samples lacks.
    flag: Flag

    def scene_count(self) -> int:
        """Scenes that can be asked for."""
        ...

    def frame_count(self, scene: int) -> int:
        """Usable frames of a scene."""
        ...

    def load(self, scene: int, frames: Sequence[int]) -> Frames:
        """Frames of a scene, in the order given."""
        ...

    def request(self, scenes: Sequence[int]) -> None:
        """Announces scenes that will be loaded soon."""
        ...


def checked_pose(values: np.ndarray, file: Path | str) -> np.ndarray:
    """A camera-to-world matrix that is one."""
    if values.size != 16:
        raise DataError("pose-size", file, f"{values.size} numbers, expected 4x4")
    pose = values.astype(np.float64).reshape(4, 4)
    if not np.isfinite(pose).all():
        raise DataError("pose-not-finite", file, "a value is NaN or infinite")
    rotation = pose[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 0.02 or np.linalg.det(rotation) < 0:
        raise DataError("pose-not-rigid", file, "the upper left 3x3 block is not a rotation")
    return pose


def checked_intrinsics(values: np.ndarray, file: Path | str) -> np.ndarray:
    """A 3x3 camera matrix that is one."""
    if values.size != 9 or not np.isfinite(values).all():
        raise DataError("intrinsics", file, "expected 3x3 finite numbers")
    k = values.astype(np.float64).reshape(3, 3)
    if k[0, 0] <= 0 or k[1, 1] <= 0:
        raise DataError("intrinsics", file, "focal lengths must be positive")
    return k


def read_numbers(file: Path, problem: Problem) -> np.ndarray:
    """All numbers of a text file."""
    try:
        text = file.read_text().split()
    except OSError as error:
        raise DataError("missing-file", file, error.strerror or "cannot be read") from error
    try:
        return np.array([float(t) for t in text])
    except ValueError as error:
        raise DataError(problem, file, str(error)) from error
