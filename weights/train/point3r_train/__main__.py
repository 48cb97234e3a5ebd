"""Command line: `python -m point3r_train train | pack | unpack | export | adopt | reference | bench`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from . import adopt, bench, checkpoint, export, reference
from .config import Config
from .data.batches import Batches
from .data.frames import BadInput, Source
from .data.layouts import Layout
from .data.packed import PackedCommand, PackedFiles
from .data.posed_rgbd import PosedRgbd
from .data.processed import Processed
from .processes import Processes
from .recipe import RECIPES, Recipe
from .train import Limits, Trainer, never_used, train


def open_source(text: str, bad: BadInput) -> tuple[Source, float]:
    """A `--data` argument: `KIND:PLACE` with an optional `@WEIGHT` at the end."""
    place, at, weight = text.rpartition("@")
    if not at or not weight.replace(".", "", 1).isdigit():
        place, weight = text, "1"
    kind, _, where = place.partition(":")
    if kind == "posed-rgbd":
        return PosedRgbd(Path(where), bad), float(weight)
    if kind == "packed":
        return PackedFiles(Path(where)), float(weight)
    if kind == "processed":
        layout, _, folder = where.partition(":")
        return Processed(Path(folder), Layout.named(layout), bad, name=layout), float(weight)
    if kind == "render":
        frames, _, command = where.partition(":")
        return PackedCommand(command, int(frames)), float(weight)
    raise SystemExit(f"--data {text}: unknown kind {kind!r}; known are posed-rgbd, packed, processed, render")


def _train(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    processes = Processes.join(args.device)
    run = Path(args.output)
    found = checkpoint.latest(run)
    recipe = RECIPES[args.recipe]
    if found is not None and not args.recipe_anew:
        recipe = Recipe.from_dict(json.loads((found / "state.json").read_text())["recipe"])
    recipe = recipe.with_settings(args.set)
    config = Config.named(args.network or recipe.config)
    bad = BadInput(skip=args.bad_input == "skip")
    sources = [open_source(text, bad) for text in args.data]
    trainer = Trainer(recipe, config, processes)
    if found is None and args.start:
        trainer.start_from(Path(args.start))
    data = Batches(
        sources, lambda step: recipe.shape(step, trainer.total), recipe.seed, recipe.augmentation(), bad, args.loaders
    )
    limits = Limits(args.minutes, args.save_minutes, args.log_steps, args.stop_at)
    if processes.is_first:
        count = sum(p.numel() for p in trainer.network.parameters())
        print(f"{args.recipe}: {count} parameters, {trainer.total} steps, {processes.count} processes", flush=True)
    train(trainer, data, run, limits, lambda text: print(text, flush=True) if processes.is_first else None)
    processes.leave()


def _pack(args: argparse.Namespace) -> None:
    found = checkpoint.latest(Path(args.run))
    if found is None:
        raise SystemExit(f"{args.run}: no checkpoint here")
    state = checkpoint.read(found)
    if args.small:
        state = checkpoint.without_duplicates(state, never_used(Config.from_dict(state.config)))
    size = checkpoint.write(Path(args.output), state, compact=True)
    print(f"{args.output}: step {found.name}, {size / 1e6:.1f} MB")


def _unpack(args: argparse.Namespace) -> None:
    state = checkpoint.read(Path(args.checkpoint))
    print(checkpoint.write_step(Path(args.run), state))


def _export(args: argparse.Namespace) -> None:
    folder = Path(args.run)
    found = folder if (folder / "state.json").is_file() else checkpoint.latest(folder)
    if found is None:
        raise SystemExit(f"{args.run}: no checkpoint here")
    state = checkpoint.read(found)
    weights = state.parameters if args.raw or not state.average else state.average
    if args.blend:
        weights = export.blend(weights, Path(args.blend), args.share)
    export.write(Path(args.output), weights, Config.from_dict(state.config))
    print(f"{args.output}: step {state.step}")


def _reference(args: argparse.Namespace) -> None:
    images = None
    if args.images:
        images = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in args.images])
    weights = Path(args.weights) if args.weights else None
    reference.write(Path(args.output), Config.named(args.network), weights, images, args.everything)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="point3r_train", description="Training of Point3R networks.")
    commands = parser.add_subparsers(required=True)

    p = commands.add_parser("train", help="train, or continue the run in the output folder")
    p.add_argument("--recipe", choices=sorted(RECIPES), default="default")
    p.add_argument("--network", help="released, small, tiny or a config.json; the recipe's otherwise")
    p.add_argument("--data", action="append", required=True, metavar="KIND:PLACE[@WEIGHT]",
                   help="posed-rgbd:FOLDER, packed:FOLDER, processed:LAYOUT:FOLDER, render:FRAMES:COMMAND; repeatable")
    p.add_argument("--start", metavar="FILE",
                   help="weights to start from: .pth, .safetensors (also DUSt3R's) or a model folder")
    p.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change a setting of the recipe")
    p.add_argument("--recipe-anew", action="store_true", help="continue with the recipe given, not the run's own")
    p.add_argument("--bad-input", choices=["stop", "skip"], default="stop")
    p.add_argument("--minutes", type=float, default=0, help="stop after this time; run again to continue")
    p.add_argument("--save-minutes", type=float, default=10)
    p.add_argument("--stop-at", type=int, default=0, help="stop after this step")
    p.add_argument("--log-steps", type=int, default=50)
    p.add_argument("--device", help="cpu, cuda, cuda:1 ...; a GPU if there is one otherwise")
    p.add_argument("--threads", type=int, default=0, help="CPU threads per process")
    p.add_argument("--loaders", type=int, default=2, help="threads that prepare data")
    p.add_argument("-o", "--output", required=True, metavar="RUN")
    p.set_defaults(run_command=_train)

    p = commands.add_parser("pack", help="the newest checkpoint of a run in compact form, to carry it elsewhere")
    p.add_argument("run")
    p.add_argument("--small", action="store_true", help="only the running average, and only what can matter: half")
    p.add_argument("-o", "--output", required=True)
    p.set_defaults(run_command=_pack)

    p = commands.add_parser("unpack", help="makes a checkpoint the newest of a run folder")
    p.add_argument("checkpoint")
    p.add_argument("-o", "--run", required=True)
    p.set_defaults(run_command=_unpack)

    p = commands.add_parser("export", help="weights for `point3r convert`")
    p.add_argument("run", help="run folder or checkpoint folder")
    p.add_argument("--raw", action="store_true", help="the weights themselves, not their running average")
    p.add_argument("--blend", metavar="FILE", help="average with the weights that the run started from")
    p.add_argument("--share", type=float, default=0.5, help="the run's share of that average")
    p.add_argument("-o", "--output", required=True)
    p.set_defaults(run_command=_export)

    p = commands.add_parser("adopt", help="weights of the early prototype as a checkpoint of this package")
    p.add_argument("file", help="its weights.safetensors")
    p.add_argument("--network", default="small", help="the config that it was made with")
    p.add_argument("-o", "--output", required=True)
    p.set_defaults(run_command=lambda a: adopt.write(Path(a.file), Config.named(a.network), Path(a.output)))

    p = commands.add_parser("reference", help="reference tensors for `point3r verify`")
    p.add_argument("--network", default="small", help="released, small, tiny or a config.json")
    p.add_argument("--weights", metavar="FILE", help=".pth or .safetensors; the weight formula otherwise")
    p.add_argument("--images", nargs="*", metavar="FILE", help="frames, sides multiples of 16; noise otherwise")
    p.add_argument("--everything", action="store_true", help="all intermediate tensors too")
    p.add_argument("-o", "--output", required=True)
    p.set_defaults(run_command=_reference)

    p = commands.add_parser("bench", help="time per frame with formula weights, beside `point3r bench`")
    p.add_argument("--preset", choices=sorted(bench.PRESETS), default="tiny")
    p.add_argument("--frames", type=int, default=4)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="cpu")
    p.add_argument("--json", action="store_true")
    p.set_defaults(run_command=lambda a: bench.run(a.preset, a.frames, a.threads, a.device, a.json))

    args = parser.parse_args()
    args.run_command(args)


if __name__ == "__main__":
    main()
