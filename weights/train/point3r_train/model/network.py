"""The network: parameters under the checkpoint's keys, and one step per frame (spec section 4).

Training and inference are the same code: `forward` encodes all frames at once and then steps through them, which
gives what streaming gives because no result depends on later frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..config import Config
from .blocks import Block, DecoderBlock
from .decoder import StreamRotary, decode
from .encoder import POSITION_INPUTS, Encoded, PatchEmbedding, Stem, Trace, image_position, run_stack
from .heads import Heads, camera_pose, points_and_confidence
from .pointers import Pointers, Update, patch_means, update
from .pose_memory import PoseMemory
from .rope import Rotary, rotary_2d


@dataclass(frozen=True)
class State:
    """What a sequence carries from frame to frame."""

    pointers: Pointers
    patch_positions: Tensor
    pose_slots: Tensor


@dataclass(frozen=True)
class Prediction:
    """One frame: maps `[batch, H, W, ..]`, poses `[batch, 7]` (translation, quaternion w first, camera to world).

    The raw maps `[batch, 4, H, W]` and raw pose are before activation. Without dense heads all maps are empty.
    """

    points_camera: Tensor
    confidence_camera: Tensor
    points_world: Tensor
    confidence_world: Tensor
    camera_pose: Tensor
    raw_camera: Tensor
    raw_world: Tensor
    raw_pose: Tensor
    # Attention to the pointers per decoder block, `[batch, 1 + patches, pointers]`, where it was asked for.
    attention: tuple[Tensor, ...] = ()


class Point3R(nn.Module):
    """A network of any size."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        config.validate()
        c, eps = config, config.layer_norm_eps
        self.config = config
        # Memory for time: recompute the dense heads in the backward pass.
        self.checkpoint_heads = False
        # Off: dense heads and pose head in f32 whatever autocast says, as the published recipe has it.
        self.autocast_heads = False
        # Off: only poses are predicted; `forward` must be given the true points.
        self.dense_heads = True
        # `forward` returns the second frame's attention to the first.
        self.keep_attention = False

        def decoder(heads: int) -> nn.ModuleList:
            return nn.ModuleList(DecoderBlock(c.dec_embed_dim, heads, c.mlp_ratio, eps) for _ in range(c.dec_depth))

        self.pose_token = nn.Parameter(0.02 * torch.randn(1, 1, c.dec_embed_dim))
        self.patch_embed = Stem(c.enc_embed_dim, c.stem) if c.stem else PatchEmbedding(c.enc_embed_dim, c.patch_size)
        self.enc_pos = nn.Linear(POSITION_INPUTS, c.enc_embed_dim) if c.encoder_position else None
        self.enc_blocks = nn.ModuleList(
            Block(c.enc_embed_dim, c.enc_num_heads, c.mlp_ratio, eps) for _ in range(c.enc_depth)
        )
        self.enc_norm = nn.LayerNorm(c.enc_embed_dim, eps=eps)
        self.decoder_embed = nn.Linear(c.enc_embed_dim, c.dec_embed_dim)
        self.dec_blocks = decoder(c.dec_num_heads)
        self.dec_norm = nn.LayerNorm(c.dec_embed_dim, eps=eps)
        self.decoder_embed_memory = nn.Linear(c.enc_embed_dim, c.dec_embed_dim)
        self.dec_blocks_memory = decoder(c.memory_dec_num_heads)
        self.dec_norm_memory = nn.LayerNorm(c.dec_embed_dim, eps=eps)
        self.pose_retriever = PoseMemory(c)
        self.pts_patch_embed = PatchEmbedding(c.enc_embed_dim, c.patch_size)
        value = c.value_encoder
        self.value_encoder = nn.ModuleList(
            Block(c.value_dim, value.heads, value.mlp_ratio, eps) for _ in range(value.depth)
        )
        self.value_norm = nn.LayerNorm(c.value_dim, eps=eps)
        self.value_out = nn.Linear(c.value_dim, c.enc_embed_dim)
        head = c.memory_attn_head
        self.memory_attn_head = nn.Sequential(
            nn.Linear(head.in_dim, head.hidden), nn.GELU(), nn.Linear(head.hidden, head.out)
        )
        self.downstream_head = Heads(c)

    def forward(
        self, images: Tensor, how: Update = "merge", true_points: Tensor | None = None
    ) -> list[Prediction]:
        """Images `[batch, frames, 3, H, W]` in [-1, 1], sides multiples of 16; one prediction per frame.

        `true_points` `[batch, frames, H, W, 3]` puts the pointers where the points are instead of where they are
        predicted (teacher forcing).
        """
        batch, frames = images.shape[:2]
        encoded = self.encode(images.flatten(0, 1)).unflatten((batch, frames))
        state, predictions = None, []
        for index in range(frames):
            truth = None if true_points is None else true_points[:, index]
            last = index + 1 == frames
            keep: list[Tensor] | None = [] if self.keep_attention and index == 1 else None
            prediction, state = self.step(state, encoded[:, index], self.grid(images), how, truth, None, last, keep)
            predictions.append(prediction if keep is None else replace(prediction, attention=tuple(keep)))
        return predictions

    def stream(self, images: Iterator[Tensor], how: Update = "merge") -> Iterator[tuple[Prediction, State]]:
        """Frame by frame, `[batch, 3, H, W]` each."""
        state = None
        for image in images:
            prediction, state = self.step(state, self.encode(image), self.grid(image), how)
            assert state is not None
            yield prediction, state

    def grid(self, images: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""
        height, width = images.shape[-2:]
        side = self.config.patch_size
        if height % side or width % side:
            raise ValueError(f"images of {width}x{height}: both sides must be multiples of {side}")
        return height // side, width // side

    def encode(self, images: Tensor, trace: Trace | None = None) -> Encoded:
        """Encoder tokens `[batch, patches, encoder width]`, and the stem's fine map if the heads take it."""
        c, grid = self.config, self.grid(images)
        rotary = self._rotary_2d(grid, c.enc_embed_dim // c.enc_num_heads, images.device)
        embedded = self.patch_embed(images)
        tokens, fine = embedded if isinstance(embedded, tuple) else (embedded, None)
        if self.enc_pos is not None:
            tokens = tokens + self.enc_pos(image_position(grid, images.device))
        tokens = run_stack(tokens, self.enc_blocks, self.enc_norm, rotary, trace, "enc")
        return Encoded(tokens, fine if c.dense_skip else None)

    def step(
        self,
        state: State | None,
        image: Encoded,
        grid: tuple[int, int],
        how: Update = "merge",
        true_points: Tensor | None = None,
        trace: Trace | None = None,
        last: bool = False,
        keep: list[Tensor] | None = None,
    ) -> tuple[Prediction, State | None]:
        """One frame. `last`: nothing follows, so the memories are not updated and no state is returned."""
        c, encoded = self.config, image.tokens
        mean = encoded.mean(1, keepdim=True)
        if state is None:
            pose_token = self.pose_token.expand(len(encoded), -1, -1)
            slots = self.pose_retriever.mem.expand(len(encoded), -1, -1)
            memory, exists, rotary = self.decoder_embed_memory(encoded), None, None
        else:
            slots = state.pose_slots
            pose_token = self.pose_retriever.read(mean, slots)
            memory, exists = state.pointers.features, state.pointers.exists
            image_width = c.dec_embed_dim // c.dec_num_heads
            memory_width = c.dec_embed_dim // c.memory_dec_num_heads
            both = (state.patch_positions, state.pointers.positions)
            wide = StreamRotary.build(*both, image_width, c.rope3d_bases)
            same = image_width == memory_width
            rotary = (wide, wide if same else StreamRotary.build(*both, memory_width, c.rope3d_bases))
        projected = self.decoder_embed(encoded)
        tokens = torch.cat([pose_token.to(projected.dtype), projected], 1)
        if trace is not None:
            trace.update({"enc_feat": encoded, "dec_img.0": encoded, "global_feat": mean, "pose_token_in": pose_token})
            trace.update({"mem_feat_in": memory, "dec_mem.0": memory})
            if state is not None:
                trace.update(pose_retrieved=pose_token, pose_mem_before=slots, pose_query_global_feat=mean)
                trace.update(mem_pos_in=state.pointers.positions, img_pos_in=state.patch_positions)
        after, memory = decode(tokens, memory, self.dec_blocks, self.dec_blocks_memory, rotary, exists, trace, keep)
        out = self.dec_norm(after[-1])
        if trace is not None:
            trace[f"dec_img.{c.dec_depth}"] = out
            trace[f"dec_mem.{c.dec_depth}"] = self.dec_norm_memory(memory)
        prediction = self._heads(image, after, out, grid, trace)
        if last:
            return prediction, None
        slots = self.pose_retriever.write(mean, out[:, :1], slots)

        points = (prediction.points_world if true_points is None else true_points).detach()
        places = patch_means(points, c.patch_size)
        features = self._new_features(encoded.detach(), out[:, 1:].detach(), points, grid, trace)
        with torch.autocast(points.device.type, enabled=False):
            old = None if state is None else state.pointers
            pointers = update(old, places, features.float(), how, c.merge_len_unit, trace)
        if trace is not None:
            trace.update(pose_mem_after=slots, new_patch_pos=places)
            trace.update(ptr_feat=pointers.features, ptr_pos=pointers.positions)
        return prediction, State(pointers, places, slots)

    def _heads(
        self, image: Encoded, after: list[Tensor], out: Tensor, grid: tuple[int, int], trace: Trace | None
    ) -> Prediction:
        """World branch, pose and the two dense maps (spec 5)."""
        c, heads = self.config, self.downstream_head
        pose_token, tokens = out[:, :1], out[:, 1:]
        if not self.dense_heads:
            with torch.autocast(out.device.type, enabled=False):
                raw_pose = heads.pose_head(pose_token[:, 0].float())
            none = raw_pose.new_zeros(len(out), 0)
            return Prediction(none, none, none, none, camera_pose(raw_pose), none, none, raw_pose)
        rotary = self._rotary_2d(grid, c.dec_embed_dim // c.final_transform.heads, out.device)
        world = tokens
        for index, block in enumerate(heads.final_transform):
            world = block(world, pose_token, rotary)
            if trace is not None:
                trace[f"final_transform.{index}"] = world
        _, one, two, _ = c.dpt.hooks_decoder
        hooks = [image.tokens, after[one - 1][:, 1:], after[two - 1][:, 1:]]

        def dense(head: nn.Module, last: Tensor, name: str) -> Tensor:
            inputs, fine = [*hooks, last], image.fine
            if not self.autocast_heads:
                inputs = [x.float() for x in inputs]
                fine = None if fine is None else fine.float()
            if self.checkpoint_heads and torch.is_grad_enabled():
                return checkpoint(head, inputs, fine, grid, use_reentrant=False)
            return head(inputs, fine, grid, trace, name)

        device = out.device.type
        with torch.autocast(device, enabled=self.autocast_heads and torch.is_autocast_enabled(device)):
            raw_camera = dense(heads.dpt_self, tokens, "dpt_self").float()
            raw_world = dense(heads.dpt_cross, world, "dpt_cross").float()
        with torch.autocast(device, enabled=False):
            raw_pose = heads.pose_head(pose_token[:, 0].float())
            camera, camera_confidence = points_and_confidence(raw_camera)
            points, confidence = points_and_confidence(raw_world)
            pose = camera_pose(raw_pose)
        if trace is not None:
            trace.update(pose_token_out=pose_token, pose_raw=raw_pose)
        return Prediction(camera, camera_confidence, points, confidence, pose, raw_camera, raw_world, raw_pose)

    def _new_features(
        self, encoded: Tensor, tokens: Tensor, points: Tensor, grid: tuple[int, int], trace: Trace | None
    ) -> Tensor:
        """Candidate pointer features `[batch, patches, decoder width]`: what a patch shows, and where it lies."""
        c = self.config
        key = self.memory_attn_head(torch.cat([encoded, tokens.to(encoded.dtype)], -1))
        rotary = self._rotary_2d(grid, c.value_dim // c.value_encoder.heads, points.device)
        patches = self.pts_patch_embed(points.movedim(-1, 1))
        value = self.value_out(run_stack(patches, self.value_encoder, self.value_norm, rotary, trace, "value"))
        if trace is not None:
            trace.update(mem_key_feat=key, mem_value_feat=value)
        return self.decoder_embed_memory(key + value)

    def _rotary_2d(self, grid: tuple[int, int], width: int, device: torch.device) -> Rotary:
        return rotary_2d(grid, width, self.config.rope2d_base, device)
