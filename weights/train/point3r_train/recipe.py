"""Recipes: every setting of a training run as one value (spec 8.2).

`stage1`, `stage2`, `stage3` and `finetune` are the published ones for the released size; `default` trains our small
network. Any field can be changed on the command line with `--set field=value`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .data.augment import Augmentation
from .data.batches import Shape
from .model.pointers import Update

Resolution = tuple[int, int]
# Steps whose phases are drawn together.
DRAWS = 1024
ENCODER = ("patch_embed.", "enc_blocks.", "enc_norm.")
WIDE = ((512, 384), (512, 336), (512, 288), (512, 256), (512, 208), (512, 144))
TALL = ((384, 512), (336, 512), (288, 512), (256, 512))


@dataclass(frozen=True)
class Phase:
    """A share of the run with its own sequence length; `batch` is per process."""

    share: float
    views: int
    batch: int
    # Pointers where the points are, instead of where they are predicted.
    true_pointers: bool = False
    # Off: no dense heads, so only the pose and the matching are learned, at half the cost; needs `true_pointers`.
    dense: bool = True

    def __post_init__(self) -> None:
        if not self.dense and not (self.true_pointers and self.views > 1):
            raise ValueError("a phase without dense heads needs true_pointers and two views or more")


@dataclass(frozen=True)
class Recipe:
    """A training run. (width, height) resolutions: the first half of the list is drawn twice as often."""

    config: str = "released"
    criterion: str = "reference"
    update: Update = "merge"
    resolutions: tuple[Resolution, ...] = ((224, 224),)
    phases: tuple[Phase, ...] = (Phase(1.0, 5, 16),)
    # Phases take turns at random, by their shares, instead of following one another.
    mixed: bool = False
    repeat_views: bool = False
    frozen: tuple[str, ...] = ()
    # Over all processes.
    samples_per_epoch: int = 100_000
    epochs: float = 100
    warmup_epochs: float = 5
    # Set: this many steps, whatever the epochs say.
    steps: int = 0
    warmup_steps: int = 0
    lr: float = 5e-5
    min_lr: float = 1e-6
    # Share of the run, after the warm-up, at the full rate before the cosine begins.
    decay_from: float = 0.0
    weight_decay: float = 0.05
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    # Weight of the auxiliary matching loss (`matching.py`).
    matching: float = 0.0
    # Weight of `losses.relative_depth_loss`.
    relative_depth: float = 0.0
    bf16: bool = True
    bf16_heads: bool = False
    checkpoint_heads: bool = True
    ema: float = 0.0
    # 1: gradients of all processes are averaged in every step. More: each process takes its own steps and weights are
    # averaged every so many, for CPUs too busy to meet in every step (then only one process resumes bit for bit).
    average_every: int = 1
    mirror: bool = False
    jitter: bool = True
    # Images may be up to this many pixels larger than the network's size before they are cropped.
    crop_margin: int = 16
    seed: int = 0

    def total_steps(self, world: int) -> int:
        """Steps of the whole run on `world` processes (epochs count samples of the longest phase's batch)."""
        longest = max(self.phases, key=lambda p: p.share)
        return self.steps or math.ceil(self.samples_per_epoch * self.epochs / (longest.batch * world))

    def phase(self, step: int, total: int) -> Phase:
        """The phase that a step belongs to."""
        if self.mixed:
            return self.phases[self._draws(step // DRAWS)[step % DRAWS]]
        end = 0.0
        for phase in self.phases:
            end += phase.share
            if step < end * total:
                return phase
        return self.phases[-1]

    def _draws(self, block: int) -> list[int]:
        """Phase numbers of the steps of a block, the same for every process."""
        shares = np.cumsum([phase.share for phase in self.phases])
        drawn = np.random.default_rng([self.seed, block, 3]).random(DRAWS) * shares[-1]
        return np.minimum(np.searchsorted(shares, drawn, "right"), len(shares) - 1).tolist()

    def frames_before(self, step: int, total: int, world: int) -> int:
        """Frames that all processes together have trained on before a step."""
        if self.mixed:
            sizes = [phase.batch * phase.views * world for phase in self.phases]
            numbers = [n for block in range(-(-step // DRAWS)) for n in self._draws(block)]
            return sum(sizes[n] for n in numbers[:step])
        frames, first, share = 0, 0, 0.0
        for phase in self.phases:
            share += phase.share
            end = step if phase is self.phases[-1] else min(step, math.ceil(share * total))
            frames += max(0, end - first) * phase.batch * phase.views * world
            first = max(first, end)
        return frames

    def shape(self, step: int, total: int) -> Shape:
        """The batch of a step."""
        phase = self.phase(step, total)
        return Shape(phase.batch, phase.views, self.resolutions, self.repeat_views)

    def learning_rate(self, step: int, total: int) -> float:
        """Linear warm-up from 0, then half a cosine."""
        warmup = self.warmup_steps or (0 if self.steps else total * self.warmup_epochs / max(self.epochs, 1e-9))
        if step < warmup:
            return self.lr * step / warmup
        progress = min(1.0, (step - warmup) / max(1, total - warmup))
        progress = max(0.0, progress - self.decay_from) / (1 - min(self.decay_from, 0.999))
        return self.min_lr + (self.lr - self.min_lr) * 0.5 * (1 + math.cos(math.pi * progress))

    def augmentation(self) -> Augmentation:
        """Changes to the training images."""
        return Augmentation(jitter=self.jitter, mirror=self.mirror, crop_margin=self.crop_margin)

    def with_settings(self, settings: list[str]) -> Recipe:
        """A copy with `field=value` changes, values as JSON (or plain text)."""
        changes: dict[str, Any] = {}
        names = {f.name for f in dataclasses.fields(Recipe)}
        for setting in settings:
            name, _, text = setting.partition("=")
            if name not in names:
                raise ValueError(f"no setting {name!r}: known are {', '.join(sorted(names))}")
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            changes[name] = value
        return Recipe.from_dict(self.to_dict() | changes)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """From the JSON form."""
        values = dict(values)
        values["phases"] = tuple(Phase(**p) for p in values["phases"])
        values["resolutions"] = tuple((int(w), int(h)) for w, h in values["resolutions"])
        values["frozen"] = tuple(values["frozen"])
        return Recipe(**values)


_STAGE1 = Recipe(update="concatenate")
_STAGE2 = Recipe(
    resolutions=WIDE + TALL, phases=(Phase(1.0, 5, 3),), samples_per_epoch=118_000, epochs=10, warmup_epochs=0.5
)
_STAGE3 = dataclasses.replace(
    _STAGE2, phases=(Phase(1.0, 8, 1),), repeat_views=True, frozen=ENCODER, samples_per_epoch=16_900, lr=1e-5
)
RECIPES: dict[str, Recipe] = {
    "stage1": _STAGE1,
    "stage2": _STAGE2,
    "stage3": _STAGE3,
    "finetune": dataclasses.replace(_STAGE3, samples_per_epoch=26_000, lr=1e-6, min_lr=1e-7),
    # Single frames until depth is learned, pairs with true pointers until motion is, then sequences.
    "default": Recipe(
        config="small", criterion="log_points", resolutions=((128, 96), (128, 80), (96, 128), (160, 112)),
        phases=(Phase(0.25, 1, 32), Phase(0.25, 2, 16, True), Phase(0.3, 3, 8), Phase(0.2, 6, 4)),
        repeat_views=True, steps=200_000, warmup_steps=500, lr=1e-3, min_lr=2e-5, bf16_heads=True,
        checkpoint_heads=False, ema=0.999, mirror=True,
    ),
}  # fmt: skip

# Samples per epoch of the published stages, by data set: weights of `--data`.
MIXTURES: dict[str, tuple[int, int, float]] = {
    "co3d": (10_000, 10_000, 2_000), "wildrgbd": (10_000, 10_000, 2_000), "arkitscenes": (10_000, 10_000, 2_000),
    "arkitscenes_highres": (10_000, 10_000, 1_000), "scannetpp": (10_000, 10_000, 1_000),
    "scannet": (10_000, 10_000, 2_000), "hypersim": (5_000, 5_000, 500), "blendedmvs": (10_000, 10_000, 1_000),
    "megadepth": (10_000, 10_000, 1_000), "waymo": (10_000, 10_000, 1_000), "vkitti2": (5_000, 3_000, 800),
    "omniobject3d": (0, 5_000, 800), "spring": (0, 6_000, 800), "mvs_synth": (0, 1_000, 100),
    "pointodyssey": (0, 8_000, 900),
}  # fmt: skip
