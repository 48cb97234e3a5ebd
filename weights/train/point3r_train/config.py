"""Every dimension of a network: the same `config.json` that the Rust side reads (spec sections 1, 6).

Fields that a file leaves out follow the released model. Unknown fields are ignored, so a file may carry notes.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_DIM = 16_384
MAX_DEPTH = 256


class ConfigError(ValueError):
    """A configuration that cannot be a network."""


@dataclass(frozen=True)
class Stack:
    """A stack of transformer blocks that are all alike."""

    depth: int
    heads: int
    mlp_ratio: int
    dim: int | None = None
    slots: int | None = None


@dataclass(frozen=True)
class Dpt:
    """Sizes of the dense heads (spec 5.2). `hooks_decoder`: 0 is the encoder, i the image stream after block i."""

    layer_dims: tuple[int, int, int, int]
    feature_dim: int
    last_dim: int
    hooks_decoder: tuple[int, int, int, int]


@dataclass(frozen=True)
class PoseHead:
    """Pose head sizes (spec 5.1)."""

    mlp_ratio: int = 4
    out: int = 7


@dataclass(frozen=True)
class PointerHead:
    """Pointer-feature head sizes (spec 4.7)."""

    in_dim: int
    hidden: int
    out: int


@dataclass(frozen=True)
class WeightGenerator:
    """How formula weights are made, for tests without a checkpoint."""

    head4_gain: float = 0.2
    rounded_to: str | None = None


@dataclass(frozen=True)
class Config:
    """Every dimension of a network; the defaults are the released 512 model."""

    patch_size: int = 16
    enc_embed_dim: int = 1024
    enc_depth: int = 24
    enc_num_heads: int = 16
    dec_embed_dim: int = 768
    dec_depth: int = 12
    dec_num_heads: int = 12
    memory_dec_num_heads: int = 16
    mlp_ratio: int = 4
    value_encoder: Stack = Stack(depth=6, dim=1024, heads=16, mlp_ratio=4)
    pose_memory: Stack = Stack(depth=2, dim=1536, heads=12, mlp_ratio=4, slots=256)
    dpt: Dpt = Dpt((96, 192, 384, 768), 256, 128, (0, 6, 9, 12))
    final_transform: Stack = Stack(depth=2, heads=12, mlp_ratio=4)
    pose_head: PoseHead = PoseHead()
    memory_attn_head: PointerHead = PointerHead(1792, 1792, 1024)
    layer_norm_eps: float = 1e-6
    rope2d_base: float = 100.0
    rope3d_bases: tuple[float, ...] = (10.0, 100.0, 1000.0, 10_000.0)
    merge_len_unit: int = 20
    # Switches of the small networks; the released model has none of them.
    # Channels of a convolutional stem (strides 2, 4, 8, 16) in place of the linear patch embedding.
    stem: tuple[int, int, int, int] | None = None
    # Position of a patch in the image, as sines and cosines, added to its token.
    encoder_position: bool = False
    # The stem's stride-4 map joins the finest level of both dense heads.
    dense_skip: bool = False
    weight_generator: WeightGenerator | None = field(default=None)
    image_size: int = 512

    @staticmethod
    def released() -> Config:
        """The released 512 model: 828 014 991 parameters."""
        return Config()

    @staticmethod
    def tiny() -> Config:
        """The smallest network with the real head widths: what the reference tensors are made with."""
        return Config(
            enc_embed_dim=128, enc_depth=2, enc_num_heads=2,
            dec_embed_dim=192, dec_depth=4, dec_num_heads=3, memory_dec_num_heads=4, mlp_ratio=2,
            value_encoder=Stack(depth=2, dim=128, heads=2, mlp_ratio=2),
            pose_memory=Stack(depth=1, dim=384, heads=3, mlp_ratio=2, slots=16),
            dpt=Dpt((12, 24, 48, 96), 32, 16, (0, 2, 3, 4)),
            final_transform=Stack(depth=2, heads=3, mlp_ratio=2),
            memory_attn_head=PointerHead(320, 320, 128),
            weight_generator=WeightGenerator(0.4, "f16"),
            image_size=64,
        )  # fmt: skip

    @staticmethod
    def small() -> Config:
        """The shape of the default model (same values as the Rust side's `small`)."""
        return Config(
            enc_embed_dim=192, enc_depth=8, enc_num_heads=4,
            dec_embed_dim=192, dec_depth=4, dec_num_heads=4, memory_dec_num_heads=4,
            value_encoder=Stack(depth=1, dim=192, heads=4, mlp_ratio=4),
            pose_memory=Stack(depth=1, dim=384, heads=4, mlp_ratio=1, slots=16),
            dpt=Dpt((32, 48, 64, 96), 48, 24, (0, 2, 3, 4)),
            final_transform=Stack(depth=2, heads=4, mlp_ratio=4),
            memory_attn_head=PointerHead(384, 384, 192),
            stem=(24, 48, 96, 192), encoder_position=True, dense_skip=True,
            image_size=128,
        )  # fmt: skip

    @staticmethod
    def named(name: str) -> Config:
        """`released`, `small`, `tiny`, or the path of a `config.json`."""
        presets = {"released": Config.released, "small": Config.small, "tiny": Config.tiny}
        return presets[name]() if name in presets else Config.read(Path(name))

    @staticmethod
    def read(path: Path) -> Config:
        """Reads and checks a `config.json`."""
        try:
            return Config.from_dict(json.loads(path.read_text()))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: {error}") from error

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Config:
        """Builds a configuration from the parsed JSON."""
        nested = {
            "value_encoder": Stack, "pose_memory": Stack, "dpt": Dpt, "final_transform": Stack,
            "pose_head": PoseHead, "memory_attn_head": PointerHead, "weight_generator": WeightGenerator,
        }  # fmt: skip
        known: dict[str, Any] = {}
        for item in dataclasses.fields(Config):
            if values.get(item.name) is None:
                continue
            value = values[item.name]
            if item.name in nested:
                kind = nested[item.name]
                names = {f.name for f in dataclasses.fields(kind)}
                value = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items() if k in names})
            known[item.name] = tuple(value) if isinstance(value, list) else value
        config = Config(**known)
        config.validate()
        return config

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; absent optional values are left out."""

        def clean(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: clean(v) for k, v in value.items() if v is not None}
            return list(value) if isinstance(value, tuple) else value

        return clean(dataclasses.asdict(self))

    def to_json(self) -> str:
        """`config.json` as the Rust side reads it."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @property
    def value_dim(self) -> int:
        """Width of the value encoder."""
        return self.value_encoder.dim or self.enc_embed_dim

    @property
    def pose_memory_slots(self) -> int:
        """Number of pose memory slots."""
        return self.pose_memory.slots or 256

    @property
    def pose_memory_dim(self) -> int:
        """Width of a slot: a key half and a value half, both as wide as the decoder."""
        return self.pose_memory.dim or 2 * self.dec_embed_dim

    def validate(self) -> None:
        """Raises `ConfigError` naming the first value that does not fit."""
        dims = {
            "enc_embed_dim": self.enc_embed_dim, "dec_embed_dim": self.dec_embed_dim,
            "pose_memory.slots": self.pose_memory_slots, "dpt.feature_dim": self.dpt.feature_dim,
            "dpt.last_dim": self.dpt.last_dim, "dpt.layer_dims": min(self.dpt.layer_dims),
            "dpt.layer_dims (largest)": max(self.dpt.layer_dims), "image_size": self.image_size,
            "memory_attn_head.hidden": self.memory_attn_head.hidden, "merge_len_unit": self.merge_len_unit,
            "stem": min(self.stem or (1,)), "stem (largest)": max(self.stem or (1,)),
        }  # fmt: skip
        depths = {
            "enc_depth": self.enc_depth, "dec_depth": self.dec_depth, "mlp_ratio": self.mlp_ratio,
            "value_encoder.depth": self.value_encoder.depth, "pose_memory.depth": self.pose_memory.depth,
            "final_transform.depth": self.final_transform.depth,
        }  # fmt: skip
        for names, limit in ((dims, MAX_DIM), (depths, MAX_DEPTH)):
            for name, value in names.items():
                if not 1 <= value <= limit:
                    raise ConfigError(f"{name} is {value}, expected 1 to {limit}")
        # 2-D rotary needs quarters of a head.
        for name, dim, heads, unit in (
            ("enc_num_heads", self.enc_embed_dim, self.enc_num_heads, 4),
            ("dec_num_heads", self.dec_embed_dim, self.dec_num_heads, 1),
            ("memory_dec_num_heads", self.dec_embed_dim, self.memory_dec_num_heads, 1),
            ("value_encoder.heads", self.value_dim, self.value_encoder.heads, 4),
            ("pose_memory.heads", self.pose_memory_dim, self.pose_memory.heads, 1),
            ("final_transform.heads", self.dec_embed_dim, self.final_transform.heads, 4),
        ):
            if heads < 1 or dim % heads or (dim // heads) % unit or dim // heads < 6:
                raise ConfigError(f"{name} = {heads} does not divide a width of {dim} into usable heads")
        head = self.memory_attn_head
        hooks = self.dpt.hooks_decoder
        for holds, problem in (
            (self.patch_size == 16, f"patch_size is {self.patch_size}, only 16 is known"),
            (self.pose_head.out == 7, f"pose_head.out is {self.pose_head.out}, only 7 is known"),
            (self.pose_memory_dim == 2 * self.dec_embed_dim, "pose_memory.dim is not twice dec_embed_dim"),
            (head.in_dim == self.enc_embed_dim + self.dec_embed_dim and head.out == self.enc_embed_dim,
             "memory_attn_head does not match encoder and decoder widths"),
            (self.value_dim == self.enc_embed_dim, "value_encoder.dim differs from enc_embed_dim"),
            (len(hooks) == 4 and hooks[0] == 0 and list(hooks) == sorted(set(hooks)) and hooks[3] == self.dec_depth,
             f"dpt.hooks_decoder {hooks} must rise from 0 to dec_depth"),
            (len(self.stem or (0,) * 4) == 4, f"stem {self.stem} must have 4 numbers of channels"),
            (self.stem is not None or not self.dense_skip, "dense_skip needs a stem"),
        ):  # fmt: skip
            if not holds:
                raise ConfigError(problem)
