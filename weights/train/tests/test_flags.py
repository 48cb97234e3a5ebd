"""Partial ground truth: what each flag of the published criterion ignores, and what it does not."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
import torch
from partial import VIEWS, Maps, loss, predicted, quaternions, rows_of, same, transcribed, translations, true
from torch import Tensor

from point3r_train.flags import Flag
from point3r_train.losses import Targets, reference_loss

FLAGS = [Flag.DEPTH_ONLY, Flag.SINGLE_VIEW, Flag.CAMERA_ONLY]
EYE = torch.eye(4).expand(1, VIEWS, 4, 4)


MIXTURES = [
    (Flag.DEPTH_ONLY,), (Flag.SINGLE_VIEW,), (Flag.CAMERA_ONLY,),
    (Flag.NONE, Flag.DEPTH_ONLY, Flag.SINGLE_VIEW, Flag.CAMERA_ONLY, Flag.SINGLE_VIEW, Flag.CAMERA_ONLY),
]  # fmt: skip


@pytest.mark.parametrize("flags", MIXTURES)
@pytest.mark.parametrize("near", [False, True])
def test_value_is_that_of_an_independent_transcription(flags: tuple[Flag, ...], near: bool) -> None:
    maps, t = predicted(1, len(flags)), true(2, flags)
    with torch.no_grad():
        maps.camera[:, :, 0, :3, 2] *= -1  # behind the camera
        maps.camera[:, :, 1, :3, 0] *= 20  # steeper than the clip
        if near:  # below the cap of the pose term
            nu = 1.0 + torch.arange(len(flags))[:, None, None]
            maps.pose[:] = torch.cat([translations(t) * nu, maps.pose[..., 3:]], -1)
            maps.pose[..., 3:] = quaternions(t)
    rng = np.random.default_rng(3)
    t = dataclasses.replace(t, valid=torch.tensor(rng.random(t.valid.shape) < 0.7))
    t = dataclasses.replace(t, sky=torch.tensor(rng.random(t.valid.shape) < 0.3) & ~t.valid)
    t.metric[4:] = True
    found, expected = loss(maps, t).total.item(), transcribed(maps, t)
    assert abs(found / expected - 1) < 1e-5


# --- what each flag ignores ---


def test_depth_only_ignores_scale_and_shift_of_depth() -> None:
    t = true(2, (Flag.DEPTH_ONLY,), EYE)
    scale, shift = torch.tensor([2.0, 0.3, 11.0]), torch.tensor([0.5, 4.0, -2.0])  # of each view
    z = t.points[..., 2:] * scale[:, None, None, None] + shift[:, None, None, None]
    other = dataclasses.replace(t, points=torch.cat([t.points[..., :2] * 3, z], -1))
    maps = predicted(1)
    assert same(loss(maps, other).total, loss(maps, t).total)
    ordinary = [loss(maps, dataclasses.replace(x, flags=())).total for x in (t, other)]
    assert not same(*ordinary, 0.01)
    # The same holds for predictions; only the pose is measured in their size.
    moved = predicted(1)
    with torch.no_grad():
        moved.camera[..., 2] = moved.camera[..., 2] * 5 - 3
        moved.world[..., :2] = 0
    for kind in ("camera", "world"):
        assert same(loss(moved, t).terms[kind], loss(maps, t).terms[kind])
    # A true depth is no error, another is.
    with torch.no_grad():
        maps.camera[..., 2] = 4 * t.points[..., 2] + 1
    assert loss(maps, t).terms["camera"] < 1e-5
    assert loss(maps, t).terms["world"] > 0.1


def test_single_view_ignores_the_scale_of_every_view() -> None:
    t = true(2, (Flag.SINGLE_VIEW,), EYE)
    scale = torch.tensor([2.0, 0.3, 11.0])[:, None, None, None]
    maps, scaled = predicted(1), predicted(1)
    assert same(loss(maps, dataclasses.replace(t, points=t.points * scale)).total, loss(maps, t).total)
    with torch.no_grad():
        scaled.camera *= scale
        scaled.world *= 7
    for kind in ("camera", "world"):
        assert same(loss(scaled, t).terms[kind], loss(maps, t).terms[kind])
    ordinary = dataclasses.replace(t, flags=())
    assert not same(loss(scaled, ordinary).terms["camera"], loss(maps, ordinary).terms["camera"], 0.01)
    # Everything predicted at another scale, motion too.
    moving = true(3, (Flag.SINGLE_VIEW,))
    with torch.no_grad():
        for part, size in ((scaled.camera, maps.camera), (scaled.world, maps.world)):
            part[:] = size * 6
        scaled.pose[..., :3] *= 6
    assert same(loss(scaled, moving).total, loss(maps, moving).total)
    with torch.no_grad():
        maps.camera[:] = t.points * scale
    assert loss(maps, t).terms["camera"] < 1e-5


def test_metric_single_view_samples_keep_the_ordinary_error() -> None:
    t = dataclasses.replace(true(2, (Flag.SINGLE_VIEW,)), metric=torch.tensor([True]))
    assert torch.equal(loss(predicted(1), t).total, loss(predicted(1), dataclasses.replace(t, flags=())).total)


def test_camera_only_knows_rays_and_no_cross_map() -> None:
    t = true(2, (Flag.CAMERA_ONLY,), EYE)
    along = torch.tensor(np.random.default_rng(5).uniform(0.2, 5, t.valid.shape), dtype=torch.float32)[..., None]
    maps, moved = predicted(1), predicted(1)
    expected = loss(maps, t).total
    assert same(loss(maps, dataclasses.replace(t, points=t.points * along)).total, expected)
    with torch.no_grad():
        moved.camera *= along
        moved.world *= 3
        moved.confidence_world += 1
    assert same(loss(moved, t).total, expected)
    expected.backward()
    assert not maps.world.grad.any()
    assert not maps.confidence_world.grad.any()
    assert maps.camera.grad.any()
    # Moving along a ray costs nothing.
    assert (maps.camera.grad * maps.camera.detach()).sum(-1).abs().max() < 1e-6


def test_camera_only_rays_are_clipped_and_points_behind_the_camera_stay_wrong() -> None:
    t = true(2, (Flag.CAMERA_ONLY,), EYE)
    t.points[:] = torch.tensor([5.0, 0, 1])
    for point, error in (([2.0, 0, 1], 0), ([9.0, 0, 1], 0), ([1.0, 0, 1], 1), ([0.0, 0, -4], (4 + 9) ** 0.5)):
        maps = predicted(1, sure=True)
        with torch.no_grad():
            maps.camera[:] = torch.tensor(point)
        assert abs(loss(maps, t).terms["camera"].item() - error) < 1e-6, point


@pytest.mark.parametrize("metric", [False, True])
def test_camera_only_poses_are_measured_by_translations(metric: bool) -> None:
    t = dataclasses.replace(true(2, (Flag.CAMERA_ONLY,)), metric=torch.tensor([metric]))
    maps = predicted(1)
    with torch.no_grad():
        maps.pose[:] = torch.cat([3 * translations(t), quaternions(t)], -1)
    # Three times too far: nothing but a scale, twice the mean length for a metric sample.
    assert abs(loss(maps, t).terms["pose"].item() - 2 * metric) < 1e-5
    with torch.no_grad():
        maps.camera *= 9
    assert abs(loss(maps, t).terms["pose"].item() - 2 * metric) < 1e-5
    still = dataclasses.replace(t, poses=EYE)
    assert loss(maps, still).terms["pose"] == 0


# --- batches, processes, degenerate samples ---


def test_samples_without_a_flag_give_the_very_same_bits() -> None:
    t = true(2, (Flag.NONE,) * 2)
    plain, flagged = predicted(1, 2), predicted(1, 2)
    totals = [loss(plain, dataclasses.replace(t, flags=())).total, loss(flagged, t).total]
    assert torch.equal(*totals)
    for total in totals:
        total.backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(plain.leaves(), flagged.leaves(), strict=True))


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flagged_sample_beside_another_counts_as_each_alone(flag: Flag) -> None:
    t, maps = true(2, (Flag.NONE, flag)), predicted(1, 2, sure=True)
    with torch.no_grad():  # below the cap, where the pose term is a mean
        maps.pose[:] = torch.cat([translations(t), quaternions(t)], -1)
        maps.pose[:, 1] += 0.05
    one, other = (loss(maps.rows(slice(i, i + 1)), rows_of(t, slice(i, i + 1))) for i in range(2))
    both = loss(maps, t)
    assert 0 < both.terms["pose"] < 0.3
    expected = (one.total + other.total) / 2
    if flag is Flag.CAMERA_ONLY:
        # The cross term is the mean over the samples that have one: the other sample's, not half of it.
        expected = expected + one.terms["world"] / 2
        assert other.terms["world"] == 0
        assert same(both.terms["world"], one.terms["world"])
    assert same(both.total, expected)


class Meeting:
    """Two threads as two processes."""

    def __init__(self) -> None:
        self._barrier, self._values = threading.Barrier(2), [torch.zeros(0)] * 2

    def average(self, rank: int, value: Tensor) -> Tensor:
        self._values[rank] = value.detach().clone()
        self._barrier.wait(10)
        mean = (self._values[0] + self._values[1]) / 2
        self._barrier.wait(10)
        return mean


@pytest.mark.parametrize("flags", [(Flag.NONE, Flag.NONE, flag, Flag.NONE) for flag in FLAGS] + [tuple(Flag)])
def test_two_processes_equal_one_with_both_their_batches(flags: tuple[Flag, ...]) -> None:
    t, maps = true(2, flags), predicted(1, 4)
    with torch.no_grad():
        maps.pose[:] = torch.cat([translations(t), quaternions(t)], -1)
        maps.pose[:, 1] += 0.02
    t.valid[2:, :, :2] = False
    t.valid[3, :, :, :3] = False
    whole = loss(maps, t)
    assert 0 < whole.terms["pose"] < 0.3
    whole.total.backward()
    meeting, halves, totals = Meeting(), [maps.rows(slice(0, 2)), maps.rows(slice(2, 4))], [torch.zeros(())] * 2

    def process(rank: int) -> None:
        part = rows_of(t, slice(2 * rank, 2 * rank + 2))
        part = part if any(part.flags) else dataclasses.replace(part, flags=())  # as the data layer has it
        found = reference_loss(halves[rank].frames(), part, lambda value: meeting.average(rank, value))
        (found.total / 2).backward()
        totals[rank] = found.total.detach()

    threads = [threading.Thread(target=process, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(sum(totals) / 2, whole.total.detach())
    for all_of, *parts in zip(maps.leaves(), *(h.leaves() for h in halves), strict=True):
        assert same(torch.cat([part.grad for part in parts]), all_of.grad, 1e-6)


def constant_depth(maps: Maps, t: Targets) -> None:
    for points, z in ((maps.camera, 31.7), (maps.world, 3.1), (t.points, 1234.567)):
        points[..., 2] = z


def no_pixel(maps: Maps, t: Targets) -> None:
    t.valid[0] = False
    t.points[0] = torch.nan


def no_pixel_in_a_view(maps: Maps, t: Targets) -> None:
    t.valid[:, 1] = False
    t.points[:, 1] = torch.nan


def nothing_but_sky(maps: Maps, t: Targets) -> None:
    no_pixel(maps, t)
    t.sky[:] = True


def one_pixel(maps: Maps, t: Targets) -> None:
    t.valid[..., 1:] = False
    t.valid[:, :, 1:] = False


def all_at_the_camera(maps: Maps, t: Targets) -> None:
    for part in (maps.camera, maps.world, maps.pose[..., :3]):
        part[:] = 0


def in_the_camera_plane(maps: Maps, t: Targets) -> None:
    maps.camera[..., 2] = 0
    maps.camera[..., :2] *= 1e4


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize(
    "spoil",
    [constant_depth, no_pixel, no_pixel_in_a_view, nothing_but_sky, one_pixel, all_at_the_camera, in_the_camera_plane],
)
def test_degenerate_samples_have_finite_losses_and_gradients(flag: Flag, spoil) -> None:
    t, maps = true(2, (flag,), EYE.clone()), predicted(1)
    with torch.no_grad():
        spoil(maps, t)
    found = loss(maps, t)
    assert found.total.isfinite()
    found.total.backward()
    assert all(part.grad.isfinite().all() for part in maps.leaves())
    if flag is Flag.DEPTH_ONLY and spoil is constant_depth:
        assert found.terms["camera"] < 1e-5  # rounding is not blown up
