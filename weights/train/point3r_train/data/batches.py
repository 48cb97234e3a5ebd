"""Batches by step number: which scenes, which frames, which augmentation.

Every sample is a pure function of (seed, sample number), so a resumed run, or the same run on another number of
processes, sees the same data in the same order.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..flags import Flag
from ..losses import Targets
from .augment import Augmentation, apply
from .frames import BadInput, DataError, Frames, Source

# Batches being prepared while one is trained on.
AHEAD = 3
# Attempts to replace a bad sample before giving up.
ATTEMPTS = 50
SHUFFLE_BLOCK = 16
# A source with this many scenes makes them when asked.
ENDLESS = 1 << 31


@dataclass(frozen=True)
class Batch:
    """Images `[B, V, 3, H, W]` in [-1, 1] and their ground truth."""

    images: Tensor
    targets: Targets

    def to(self, device: torch.device) -> Batch:
        return Batch(self.images.to(device, non_blocking=True), self.targets.to(device))


@dataclass(frozen=True)
class Shape:
    """What a batch looks like."""

    samples: int
    views: int
    # (width, height); the first half of the list is drawn twice as often as the second.
    resolutions: tuple[tuple[int, int], ...]
    repeat_views: bool = False


def pick_frames(
    rng: np.random.Generator, available: int, views: int, max_stride: int, video_probability: float, repeat: bool
) -> list[int]:
    """Frame numbers: a walk with random steps, in order (or reversed) or shuffled within blocks."""
    if available < views and not repeat:
        raise ValueError(f"{available} frames, {views} are needed")
    if available == 1 or views == 1:
        return [int(rng.integers(available))] * views
    room = (available - 1) // (views - 1)
    stride = int(rng.integers(1, max(1, min(max_stride, room)) + 1))
    steps = rng.integers(1, stride + 1, views - 1) if rng.random() < 0.5 else np.full(views - 1, stride)
    if room == 0:
        # Fewer frames than views: walk to and fro.
        period = 2 * (available - 1)
        path = (int(rng.integers(period)) + np.arange(views)) % period
        return [int(min(p, period - p)) for p in path]
    walk = np.concatenate([[0], np.cumsum(steps)])
    chosen = walk + rng.integers(available - walk[-1])
    if rng.random() < 0.5:
        chosen = chosen[::-1].copy()
    if rng.random() >= video_probability:
        for at in range(0, views, SHUFFLE_BLOCK):
            rng.shuffle(chosen[at : at + SHUFFLE_BLOCK])
    return [int(f) for f in chosen]


def ground_truth(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, validity, sky and poses in the camera of the first frame; f64 inside, because worlds can be large."""
    poses = np.linalg.inv(frames.poses[0]) @ frames.poses
    height, width = frames.depth.shape[1:]
    v, u = np.mgrid[0:height, 0:width]
    pixels = np.stack([u, v, np.ones_like(u)], -1).astype(np.float64)
    rays = pixels @ np.linalg.inv(frames.intrinsics)[:, None].transpose(0, 1, 3, 2)
    depth = frames.depth.astype(np.float64)
    camera = rays * depth[..., None]
    points = camera @ poses[:, None, :3, :3].transpose(0, 1, 3, 2) + poses[:, None, None, :3, 3]
    valid = np.isfinite(frames.depth) & (frames.depth > 0)
    return points.astype(np.float32), valid, frames.depth < 0, poses.astype(np.float32)


@dataclass
class Batches:
    """The data of a run."""

    sources: Sequence[tuple[Source, float]]
    # The shape of a step's batch.
    shape: Callable[[int], Shape]
    seed: int
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    bad: BadInput = field(default_factory=BadInput)
    threads: int = 2

    def __post_init__(self) -> None:
        if sum(source.scene_count() >= ENDLESS for source, _ in self.sources) > 1:
            raise ValueError("at most one renderer among the data sources: give it all its kinds of worlds instead")

    def iterate(self, first: int, last: int, rank: int = 0, world: int = 1) -> Iterator[tuple[int, Batch]]:
        """Batches of steps `first` to `last` for one of `world` processes."""
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[tuple[int, list[Future[tuple[np.ndarray, ...]]]]] = deque()
            upcoming = iter(range(first, last))
            try:
                while True:
                    while len(waiting) < AHEAD and (step := next(upcoming, None)) is not None:
                        waiting.append((step, self._start(step, rank, world, pool)))
                    if not waiting:
                        return
                    step, samples = waiting.popleft()
                    yield step, _collate([s.result() for s in samples])
            finally:
                for _, samples in waiting:
                    for sample in samples:
                        sample.cancel()

    def batch(self, step: int) -> Batch:
        """One batch of a single process."""
        return next(self.iterate(step, step + 1))[1]

    def _start(
        self, step: int, rank: int, world: int, pool: ThreadPoolExecutor
    ) -> list[Future[tuple[np.ndarray, ...]]]:
        shape = self.shape(step)
        resolutions = shape.resolutions
        weights = np.array([2.0 if 2 * i < len(resolutions) else 1.0 for i in range(len(resolutions))])
        rng = np.random.default_rng([self.seed, step, 1])
        width, height = resolutions[rng.choice(len(resolutions), p=weights / weights.sum())]
        first = (step * world + rank) * shape.samples
        numbers = range(first, first + shape.samples)
        drawn = [self._draw(number, 0)[:2] for number in numbers]
        for source, _ in self.sources:
            source.request([scene for other, scene in drawn if other is source])
        return [pool.submit(self._sample, number, shape, width, height) for number in numbers]

    def _draw(self, number: int, attempt: int) -> tuple[Source, int, np.random.Generator]:
        rng = np.random.default_rng([self.seed, number, attempt, 2])
        weights = np.array([w for _, w in self.sources])
        weights /= weights.sum()
        for (source, _), share in zip(self.sources, weights, strict=True):
            # Endless sources are dealt evenly, so that their scenes come one after the other and none is left out.
            if attempt == 0 and source.scene_count() >= ENDLESS:
                scene = math.floor(number * share)
                if math.floor((number + 1) * share) > scene:
                    return source, scene, rng
                weights = np.where([other is source for other, _ in self.sources], 0, weights)
        source = self.sources[rng.choice(len(self.sources), p=weights / weights.sum())][0]
        return source, int(rng.integers(source.scene_count())), rng

    def _sample(self, number: int, shape: Shape, width: int, height: int) -> tuple[np.ndarray, ...]:
        for attempt in range(ATTEMPTS):
            source, scene, rng = self._draw(number, attempt)
            try:
                return self._load(source, scene, rng, shape, width, height)
            except DataError as error:
                self.bad.handle(error)
        raise DataError("too-few-frames", source.name, f"{ATTEMPTS} samples in a row were bad:\n{self.bad.summary()}")

    def _load(
        self, source: Source, scene: int, rng: np.random.Generator, s: Shape, width: int, height: int
    ) -> tuple[np.ndarray, ...]:
        count = source.frame_count(scene)
        try:
            wanted = pick_frames(rng, count, s.views, source.max_stride, source.video_probability, s.repeat_views)
        except ValueError as error:
            raise DataError("too-few-frames", f"{source.name} scene {scene}", str(error)) from error
        frames, colour = apply(source.load(scene, wanted), width, height, self.augmentation, rng)
        points, valid, sky, poses = ground_truth(frames)
        if not valid[0].any():
            raise DataError("no-depth", f"{source.name} scene {scene} frame {wanted[0]}", "no pixel has depth")
        images = (colour.transpose(0, 3, 1, 2) - 0.5) / np.float32(0.5)
        return images.astype(np.float32), points, valid, sky, poses, np.array(frames.metric), np.array(source.flag)


def _collate(samples: list[tuple[np.ndarray, ...]]) -> Batch:
    *parts, numbers = (np.stack(part) for part in zip(*samples, strict=True))
    images, *truth = (torch.from_numpy(part) for part in parts)
    return Batch(images, Targets(*truth, tuple(Flag(n) for n in numbers) if numbers.any() else ()))
