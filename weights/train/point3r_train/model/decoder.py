"""The two interleaved streams: image tokens and pointers (spec 4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from .encoder import Trace
from .rope import Rotary, rotary_3d


@dataclass(frozen=True)
class StreamRotary:
    """Tables of both streams in one head width; image tokens include the pose token."""

    image: Rotary
    memory: Rotary

    @staticmethod
    def build(patches: Tensor, pointers: Tensor, width: int, bases: tuple[float, ...]) -> StreamRotary:
        """From patch positions of the previous frame and pointer positions, `[batch, tokens, 3]` each."""
        image = rotary_3d(patches, width, bases).after_pose_token()
        return StreamRotary(image, rotary_3d(pointers, width, bases))


def decode(
    image: Tensor,
    memory: Tensor,
    image_blocks: nn.ModuleList,
    memory_blocks: nn.ModuleList,
    rotary: tuple[StreamRotary, StreamRotary] | None,
    pointer_keys: Tensor | None,
    trace: Trace | None = None,
    keep: list[Tensor] | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Image tokens after every block, and the memory stream before its last block.

    `rotary` holds the tables in the image stream's and in the memory stream's head width, absent on the first frame.
    `keep` receives the image stream's attention to the pointers, block by block.
    The last memory block cannot change anything and runs only for a trace.
    """
    wide = (rotary[0].image, rotary[0].memory) if rotary else None
    narrow = (rotary[1].memory, rotary[1].image) if rotary else None
    after: list[Tensor] = []
    for index, (image_block, memory_block) in enumerate(zip(image_blocks, memory_blocks, strict=True)):
        # Both updates read the old values of both streams.
        new_image = image_block(image, memory, wide, None, pointer_keys, keep)
        if index + 1 < len(image_blocks) or trace is not None:
            memory = memory_block(memory, image, narrow, pointer_keys, None)
        image = new_image
        after.append(image)
        if trace is not None:
            trace[f"dec_img.{index + 1}"] = image
            trace[f"dec_mem.{index + 1}"] = memory
    return after, memory
