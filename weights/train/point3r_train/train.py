"""The training loop: recipe, data and network in; checkpoints, log and export out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from . import checkpoint, export
from .checkpoint import TrainingState
from .config import Config
from .data.batches import Batch, Batches
from .initialise import initialise
from .log import Log
from .losses import CRITERIA, Loss, alone, reference_loss, relative_depth_loss
from .matching import matching_loss
from .model import Point3R
from .processes import Processes
from .recipe import Recipe

Say = Callable[[str], None]


def never_used(config: Config) -> tuple[str, ...]:
    """Name prefixes of parameters that cannot change any output (spec 1): not trained."""
    last = f"dec_blocks_memory.{config.dec_depth - 1}."
    units = tuple(f"downstream_head.{head}.scratch.refinenet4.resConfUnit1." for head in ("dpt_self", "dpt_cross"))
    writes = tuple(
        f"pose_retriever.write_blocks.{i}.{part}."
        for i in range(config.pose_memory.depth)
        for part in ("cross_attn.projq", "cross_attn.projk", "norm2")
    )
    return (last, "dec_norm_memory.", *units, *writes)


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay applies: more than one dimension, and not a bias."""
    return parameter.ndim > 1 and not name.endswith(".bias")


@dataclass
class Step:
    """What happened in one step."""

    loss: Loss
    gradient_norm: float
    skipped: bool


class Trainer:
    """A run: network, optimizer, running average, step number."""

    def __init__(self, recipe: Recipe, config: Config, processes: Processes) -> None:
        self.recipe, self.config, self.processes = recipe, config, processes
        self.total = recipe.total_steps(processes.count)
        self.step_number = 0
        self.network = Point3R(config)
        initialise(self.network, recipe.seed)
        # Convolutions are a tenth faster with channels innermost, as tokens have them.
        self.network.to(processes.device).to(memory_format=torch.channels_last)
        self.network.checkpoint_heads = recipe.checkpoint_heads
        self.network.autocast_heads = recipe.bf16_heads
        self.network.keep_attention = recipe.matching > 0
        still = (*recipe.frozen, *never_used(config))
        self.trained: dict[str, nn.Parameter] = {}
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(not name.startswith(still))
            if parameter.requires_grad:
                self.trained[name] = parameter
        groups = [
            {"params": [p for n, p in self.trained.items() if decays(n, p) is decay], "weight_decay": wd}
            for decay, wd in ((True, recipe.weight_decay), (False, 0.0))
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.lr, betas=(recipe.beta1, recipe.beta2))
        self.average: dict[str, torch.Tensor] = {}
        self._start_average()

    def _start_average(self) -> None:
        if self.recipe.ema > 0:
            self.average = {name: p.detach().clone() for name, p in self.network.named_parameters()}

    def start_from(self, file: Path, say: Say = print) -> None:
        """Starts from the weights of a checkpoint file."""
        missing, unknown = export.start_from(self.network, file)
        for what, names in (("starts from random values", missing), ("is not part of this network", unknown)):
            if names:
                say(f"{file.name}: {len(names)} tensors: {what}, e.g. {names[0]}")
        self._start_average()

    def forward(self, batch: Batch) -> Loss:
        """The loss of a batch of this process."""
        phase = self.recipe.phase(self.step_number, self.total)
        device = self.processes.device.type
        self.network.dense_heads = phase.dense
        with torch.autocast(device, torch.bfloat16, enabled=self.recipe.bf16):
            truth = batch.targets.points if phase.true_pointers else None
            predictions = self.network(batch.images, self.recipe.update, truth)
        average = self.processes.average if self.recipe.average_every == 1 else alone
        loss = CRITERIA[self.recipe.criterion](predictions, batch.targets, average)
        if self.recipe.matching > 0 and len(predictions) > 1:
            matching = matching_loss(list(predictions[1].attention), batch.targets, self.config.patch_size, average)
            loss = loss.plus("matching", self.recipe.matching, matching)
        if self.recipe.relative_depth > 0 and phase.dense:
            depth = relative_depth_loss(predictions, batch.targets, average)
            loss = loss.plus("depth", self.recipe.relative_depth, depth)
        return loss

    def step(self, batch: Batch) -> Step:
        """One update; a step whose gradient is not finite changes nothing but the step number."""
        rate = self.recipe.learning_rate(self.step_number, self.total)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.forward(batch)
        loss.total.backward()
        if self.recipe.average_every == 1:
            self.processes.average_gradients(self.trained.values())
        norm = nn.utils.clip_grad_norm_(self.trained.values(), self.recipe.clip).item()
        finite = norm == norm and norm != float("inf")
        if finite:
            self.optimizer.step()
        self.step_number += 1
        if self.recipe.average_every > 1 and self.meets():
            self.processes.average_weights(self.trained.values())
        if finite:
            self._update_average()
        # Without its graph: the log keeps steps for a while.
        return Step(Loss(loss.total.detach(), loss.terms), norm, not finite)

    def meets(self) -> bool:
        """Whether all processes hold the same weights after the step just taken."""
        return self.step_number % self.recipe.average_every == 0 or self.step_number == self.total

    @torch.no_grad()
    def _update_average(self) -> None:
        if self.average:
            decay = min(self.recipe.ema, self.step_number / (9 + self.step_number))
            pairs = [(self.average[name], p) for name, p in self.trained.items()]
            torch._foreach_lerp_([a for a, _ in pairs], [p for _, p in pairs], 1 - decay)

    def state(self) -> TrainingState:
        """Everything that a resumed run needs."""
        moments = {}
        for name, parameter in self.trained.items():
            held = self.optimizer.state.get(parameter)
            if held:
                moments[name] = (held["exp_avg"], held["exp_avg_sq"], float(held["step"]))
        parameters = {name: p.detach() for name, p in self.network.named_parameters()}
        return TrainingState(
            self.step_number, self.recipe.to_dict(), self.config.to_dict(), parameters, self.average, moments
        )

    @torch.no_grad()
    def resume(self, state: TrainingState) -> None:
        """Continues where a checkpoint was written."""
        # A small checkpoint leaves out what cannot matter.
        missing, unknown = self.network.load_state_dict(state.parameters, strict=False)
        if unknown or any(not name.startswith(never_used(self.config)) for name in missing):
            raise ValueError(f"the checkpoint belongs to another network: {(*missing, *unknown)[0]} does not fit")
        self.step_number = state.step
        device = self.processes.device
        if self.average:
            self._start_average()
            self.average.update({name: value.to(device) for name, value in state.average.items()})
        self.optimizer.state.clear()
        for name, (first, second, step) in state.moments.items():
            if name in self.trained:
                held = {"step": torch.tensor(step), "exp_avg": first.to(device), "exp_avg_sq": second.to(device)}
                self.optimizer.state[self.trained[name]] = held

    def weights(self) -> dict[str, torch.Tensor]:
        """The weights to use: the running average where there is one."""
        return self.average or {name: p.detach() for name, p in self.network.named_parameters()}


@dataclass(frozen=True)
class Limits:
    """When a run stops and how often it saves."""

    minutes: float = 0.0
    save_minutes: float = 10.0
    log_steps: int = 50
    stop_at: int = 0


def check_flags(recipe: Recipe, data: Batches) -> None:
    """Refuses data with partial truth where the run would take it for the whole."""
    flagged = [f"{source.name} ({source.flag.label})" for source, _ in data.sources if source.flag]
    takes_all = {
        f"criterion {recipe.criterion}": CRITERIA[recipe.criterion] is not reference_loss,
        "matching": recipe.matching > 0,
        "relative_depth": recipe.relative_depth > 0,
        "true_pointers": any(phase.true_pointers for phase in recipe.phases),
    }
    for setting, on in takes_all.items():
        if flagged and on:
            raise ValueError(
                f"{', '.join(flagged)}: {setting} needs the whole ground truth; data with a flag is for "
                "criterion=reference without matching and true_pointers"
            )


def train(trainer: Trainer, data: Batches, run: Path, limits: Limits, say: Say = print) -> None:
    """Runs until the recipe, the time or the step limit ends; continues from the newest checkpoint in `run`."""
    processes, recipe = trainer.processes, trainer.recipe
    check_flags(recipe, data)
    if processes.is_first:
        run.mkdir(parents=True, exist_ok=True)
    found = checkpoint.latest(run)
    if found is not None:
        trainer.resume(checkpoint.read(found))
        say(f"continues from {found.name}")
    end = min(trainer.total, limits.stop_at or trainer.total)
    log = Log(run, trainer.step_number) if processes.is_first else None
    started = saved = time.monotonic()
    before = log.seconds if log else 0.0
    recent: list[Step] = []

    for number, batch in data.iterate(trainer.step_number, end, processes.rank, processes.count):
        done = trainer.step(batch.to(processes.device))
        recent.append(done)
        now = time.monotonic()
        over = trainer.meets() and processes.agree(0 < limits.minutes * 60 <= now - started)
        last = over or trainer.step_number == end
        if log and (last or trainer.step_number % limits.log_steps == 0):
            row = {
                "step": trainer.step_number, "seconds": before + now - started,
                "frames": recipe.frames_before(trainer.step_number, trainer.total, processes.count),
                "views": batch.images.shape[1],
                "lr": recipe.learning_rate(number, trainer.total), "loss": _mean([s.loss.total for s in recent]),
                "gradient": sum(s.gradient_norm for s in recent) / len(recent),
                "skipped": sum(s.skipped for s in recent),
            }  # fmt: skip
            for name in ("camera", "world", "pose", "matching", "depth"):
                row[name] = _mean([s.loss.terms[name] for s in recent if name in s.loss.terms])
            log.add(row)
            log.plot()
            say(" ".join(f"{k} {v:.4g}" for k, v in row.items()))
            recent = []
        if processes.is_first and (last or (trainer.meets() and now - saved > limits.save_minutes * 60)):
            checkpoint.write_step(run, trainer.state())
            saved = now
        if over:
            break
    if processes.is_first:
        export.write(run / "export", trainer.weights(), trainer.config)
        if data.bad.counts:
            say(data.bad.summary())
    processes.wait()


def _mean(values: list[torch.Tensor]) -> float:
    return float(torch.stack([v.detach() for v in values]).mean()) if values else float("nan")
