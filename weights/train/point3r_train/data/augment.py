"""From frames of any size to network input (spec 8.2): crop around the principal point, colour jitter, mirroring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .frames import Frames


@dataclass(frozen=True)
class Augmentation:
    """What is drawn per sample; everything off gives the plain centred crop."""

    jitter: bool = True
    crop_margin: int = 16
    mirror: bool = False


def crop(frames: Frames, width: int, height: int, rng: np.random.Generator | None, margin: int = 16) -> Frames:
    """Exactly `width` x `height`, principal point in the middle (as far as the image reaches)."""
    extra = int(rng.integers(margin)) if rng is not None and margin > 0 else 0
    rgb, depth, cameras, moving = [], [], [], []
    for i in range(len(frames.rgb)):
        k = frames.intrinsics[i].copy()
        full_height, full_width = frames.depth[i].shape
        # The largest window that is symmetric about the principal point.
        cx, cy = round(k[0, 2] + 0.5), round(k[1, 2] + 0.5)
        half_w = max(1, min(cx, full_width - cx))
        half_h = max(1, min(cy, full_height - cy))
        left, top = max(0, cx - half_w), max(0, cy - half_h)
        right, bottom = min(full_width, cx + half_w), min(full_height, cy + half_h)
        w, h = right - left, bottom - top
        scale = max((width + extra) / w, (height + extra) / h)
        new_w, new_h = max(width, round(w * scale)), max(height, round(h * scale))
        window = Image.fromarray(frames.rgb[i][top:bottom, left:right])
        how = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
        resized = np.asarray(window.resize((new_w, new_h), how))
        # Half-pixel convention: pixel centres lie at i + 0.5 while sizes are scaled.
        sx, sy = new_w / w, new_h / h
        k[0] *= sx
        k[1] *= sy
        k[0, 2] = (frames.intrinsics[i][0, 2] - left + 0.5) * sx - 0.5
        k[1, 2] = (frames.intrinsics[i][1, 2] - top + 0.5) * sy - 0.5
        x0 = int(np.clip(round(k[0, 2] + 0.5 - width / 2), 0, new_w - width))
        y0 = int(np.clip(round(k[1, 2] + 0.5 - height / 2), 0, new_h - height))
        k[0, 2] -= x0
        k[1, 2] -= y0
        columns = left + np.minimum(((np.arange(x0, x0 + width) + 0.5) / sx).astype(int), w - 1)
        rows = top + np.minimum(((np.arange(y0, y0 + height) + 0.5) / sy).astype(int), h - 1)
        rgb.append(resized[y0 : y0 + height, x0 : x0 + width])
        depth.append(frames.depth[i][np.ix_(rows, columns)])
        cameras.append(k)
        if frames.moving is not None:
            moving.append(frames.moving[i][np.ix_(rows, columns)])
    return replace(
        frames, rgb=np.stack(rgb), depth=np.stack(depth), intrinsics=np.stack(cameras),
        moving=np.stack(moving) if moving else None,
    )  # fmt: skip


def mirror(frames: Frames) -> Frames:
    """Left and right exchanged, in the images and in the world."""
    flip = np.diag([-1.0, 1, 1, 1])
    cameras = frames.intrinsics.copy()
    cameras[:, 0, 2] = frames.depth.shape[2] - 1 - cameras[:, 0, 2]
    return replace(
        frames, rgb=frames.rgb[:, :, ::-1], depth=frames.depth[:, :, ::-1], intrinsics=cameras,
        poses=flip @ frames.poses @ flip, moving=None if frames.moving is None else frames.moving[:, :, ::-1],
    )  # fmt: skip


def jitter(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One colour change for all frames of a sample, in random order. `[T, H, W, 3]` in [0, 1]."""
    brightness, contrast, saturation = rng.uniform(0.5, 1.5, 3)
    hue = rng.uniform(-0.1, 0.1)
    rgb = rgb.astype(np.float32)
    for step in rng.permutation(4):
        if step == 0:
            rgb = rgb * np.float32(brightness)
        elif step == 1:
            mean = _grey(rgb).mean((1, 2), keepdims=True)
            rgb = rgb * np.float32(contrast) + mean * np.float32(1 - contrast)
        elif step == 2:
            rgb = rgb * np.float32(saturation) + _grey(rgb) * np.float32(1 - saturation)
        else:
            rgb = _turn_hue(rgb, hue)
        rgb = rgb.clip(0, 1)
    return rgb


def _grey(rgb: np.ndarray) -> np.ndarray:
    return (rgb @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]


def _turn_hue(rgb: np.ndarray, turn: float) -> np.ndarray:
    """Hue shifted by a share of the circle, at constant value and saturation (HSV)."""
    value, low = rgb.max(-1), rgb.min(-1)
    span = value - low
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    safe = np.where(span > 0, span, 1)
    sector = np.where(value == r, (g - b) / safe % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4))
    sector = (sector + 6 * turn) % 6
    n = np.array([5, 3, 1], np.float32) + sector[..., None]
    k = n % 6
    return value[..., None] - span[..., None] * np.clip(np.minimum(k, 4 - k), 0, 1)


def apply(
    frames: Frames, width: int, height: int, how: Augmentation | None, rng: np.random.Generator
) -> tuple[Frames, np.ndarray]:
    """Frames at network size, and their colours `[T, H, W, 3]` in [0, 1]. Without `how` nothing is random."""
    frames = crop(frames, width, height, rng if how else None, how.crop_margin if how else 0)
    if how and how.mirror and rng.random() < 0.5:
        frames = mirror(frames)
    colour = frames.rgb.astype(np.float32) / 255
    return frames, jitter(colour, rng) if how and how.jitter else colour
