"""One or many training processes (`torchrun`): gloo on CPUs, NCCL on GPUs.

Gradients are averaged once per step over one flat buffer (or, on busy CPUs, weights every few steps). Every process
holds the same parameters and takes the same decisions; which parameters took part may change from step to step, so
nothing depends on a fixed graph.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """This process among its peers."""

    rank: int
    count: int
    device: torch.device

    @staticmethod
    def join(device: str | None = None) -> Processes:
        """Joins the peers that `torchrun` started, if it did."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        rank = int(os.environ.get("RANK", "0"))
        if device is None:
            device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
        place = torch.device(device)
        if place.type == "cuda":
            torch.cuda.set_device(place)
        if count > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
        return Processes(rank, count, place)

    def leave(self) -> None:
        """Says goodbye to the peers."""
        if self.count > 1:
            dist.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def average(self, value: Tensor) -> Tensor:
        """Mean over all processes; carries no gradient."""
        if self.count == 1:
            return value.detach()
        value = value.detach().clone()
        dist.all_reduce(value)
        return value / self.count

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces gradients by their mean over all processes."""
        self._average_in_place([p.grad for p in parameters if p.grad is not None])

    @torch.no_grad()
    def average_weights(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces parameters by their mean over all processes."""
        self._average_in_place([p.data for p in parameters])

    def _average_in_place(self, tensors: list[Tensor]) -> None:
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        at = 0
        for t in tensors:
            t.copy_(flat[at : at + t.numel()].view_as(t))
            at += t.numel()

    def agree(self, value: bool) -> bool:
        """True everywhere when it is true anywhere."""
        if self.count == 1:
            return value
        flag = torch.tensor(float(value), device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()
