"""Training state on disk, in parts of at most 16 MB.

Two forms of the same layout (`state.json` + `part-NNN.safetensors`):

* exact: parameters, their running average and both optimizer moments in f32. A resumed run is bit-identical.
* compact: parameters and average in f16, second moments by their row and column means, no first moments: a quarter
  of the size, to carry a run to another machine. The first steps after it are shorter than they would have been.
  `without_duplicates` halves it once more: the run then goes on from its running average.

A checkpoint is written beside its place and renamed, so a kill at any moment leaves a complete one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

PART_BYTES = 16_000_000
COMPACT_LIMIT = 64_000_000
VERSION = 1
KEPT = 2


class CheckpointError(Exception):
    """A checkpoint that cannot be used, and why."""


@dataclass
class TrainingState:
    """Everything a run continues from. `moments`: parameter name to (first, second, step)."""

    step: int
    recipe: dict[str, Any]
    config: dict[str, Any]
    parameters: dict[str, Tensor]
    average: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, tuple[Tensor, Tensor, float]] = field(default_factory=dict)


def without_duplicates(state: TrainingState, unused: tuple[str, ...]) -> TrainingState:
    """The running average as the parameters, less those that cannot change any output."""
    weights = {**state.parameters, **state.average}
    kept = {name: value for name, value in weights.items() if not name.startswith(unused)}
    return replace(state, parameters=kept, average={})


def _factors(second: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column means of a second moment, as a matrix of its first axis against the others."""
    matrix = second.reshape(second.shape[0], -1)
    return matrix.mean(1), matrix.mean(0)


def _from_factors(row: Tensor, column: Tensor, shape: torch.Size) -> Tensor:
    return (row[:, None] * column[None] / row.mean().clamp(min=1e-30)).reshape(shape)


def _tensors(state: TrainingState, compact: bool) -> Iterator[tuple[str, Tensor]]:
    kind = torch.float16 if compact else torch.float32
    for group, values in (("parameter", state.parameters), ("average", state.average)):
        for name, value in values.items():
            stored = value.detach().cpu().to(kind)
            if compact and not stored.isfinite().all():
                raise CheckpointError(f"{name} does not fit half precision: use the exact form")
            yield f"{group}/{name}", stored
    for name, (first, second, _) in state.moments.items():
        if not compact:
            yield f"first/{name}", first.detach().cpu()
            yield f"second/{name}", second.detach().cpu()
        elif second.ndim > 1:
            row, column = _factors(second.detach().cpu())
            yield f"row/{name}", row
            yield f"column/{name}", column
        else:
            yield f"second/{name}", second.detach().cpu()


def _parts(tensors: Iterator[tuple[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """Tensors in files below the limit; a larger tensor is cut into `name#k` slices of its flat form."""
    part: dict[str, Tensor] = {}
    room = PART_BYTES - 200_000  # the header
    used = 0
    for name, tensor in tensors:
        flat, size = tensor.contiguous().view(-1), tensor.element_size()
        at, slices = 0, 0
        whole = flat.numel() * size <= room - used
        while at < flat.numel():
            if (room - used) // size == 0 or (not whole and slices == 0 and flat.numel() * size <= room):
                yield part
                part, used, whole = {}, 0, flat.numel() * size <= room
            take = min(flat.numel() - at, (room - used) // size)
            key = name if whole else f"{name}#{slices}"
            values = tensor if whole else flat[at : at + take]
            part[key] = values.clone(memory_format=torch.contiguous_format)
            used += take * size
            at += take
            slices += 1
    if part:
        yield part


def write(folder: Path, state: TrainingState, compact: bool = False) -> int:
    """Writes a checkpoint as `folder`, all or nothing; its size in bytes."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files, total = [], 0
    for index, part in enumerate(_parts(_tensors(state, compact))):
        data = save(part)
        name = f"part-{index:03}.safetensors"
        _write_durably(partial / name, data)
        files.append({"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        total += len(data)
    if compact and total > COMPACT_LIMIT:
        shutil.rmtree(partial)
        raise CheckpointError(f"{total} bytes in compact form, at most {COMPACT_LIMIT} are wanted: keep the exact form")
    record = {
        "version": VERSION, "form": "compact" if compact else "exact", "step": state.step, "recipe": state.recipe,
        "config": state.config, "torch": torch.__version__, "parts": files,
        "shapes": {name: list(value.shape) for name, value in state.parameters.items()},
        "moment_steps": {name: step for name, (_, _, step) in state.moments.items()},
    }  # fmt: skip
    _write_durably(partial / "state.json", (json.dumps(record, indent=1) + "\n").encode())
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return total


def _write_durably(file: Path, data: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def read(folder: Path) -> TrainingState:
    """Reads and checks a checkpoint of either form."""
    try:
        record = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: no usable state.json: {error}") from error
    if record.get("version") != VERSION:
        raise CheckpointError(f"{folder}: version {record.get('version')}, only {VERSION} is known")
    tensors: dict[str, Tensor] = {}
    slices: dict[str, dict[int, Tensor]] = {}
    for part in record["parts"]:
        file = folder / Path(part["name"]).name
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != part["sha256"]:
            raise CheckpointError(f"{file} is damaged (its SHA-256 differs from state.json): copy it again")
        for key, value in load(data).items():
            name, cut, number = key.partition("#")
            if cut:
                slices.setdefault(name, {})[int(number)] = value
            else:
                tensors[name] = value
    tensors.update({name: torch.cat([cuts[i] for i in range(len(cuts))]) for name, cuts in slices.items()})

    shapes = {name: torch.Size(shape) for name, shape in record["shapes"].items()}

    def group(prefix: str) -> dict[str, Tensor]:
        found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        return {name: value.float().reshape(shapes[name]) for name, value in found.items()}

    moments: dict[str, tuple[Tensor, Tensor, float]] = {}
    for name, step in record["moment_steps"].items():
        shape = shapes[name]
        if f"row/{name}" in tensors:
            second = _from_factors(tensors[f"row/{name}"], tensors[f"column/{name}"], shape)
        else:
            second = tensors[f"second/{name}"].reshape(shape)
        first = tensors.get(f"first/{name}", torch.zeros(shape)).reshape(shape)
        moments[name] = (first, second, step)
    return TrainingState(
        record["step"], record["recipe"], record["config"], group("parameter/"), group("average/"), moments
    )


def latest(run: Path) -> Path | None:
    """The newest complete checkpoint of a run."""
    found = sorted(p for p in run.glob("step-*") if p.suffix != ".partial" and (p / "state.json").is_file())
    return found[-1] if found else None


def write_step(run: Path, state: TrainingState) -> Path:
    """Writes the exact checkpoint of a step and drops all but the newest few."""
    folder = run / f"step-{state.step:09}"
    write(folder, state)
    for old in sorted(p for p in run.glob("step-*") if p.suffix != ".partial")[:-KEPT]:
        shutil.rmtree(old)
    return folder
