"""Where the reference tensors are, and one thread per process (results and timings do not depend on the machine)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder `golden` of the shared reference data: `$POINT3R_SHARED`, or `../shared` beside the repository."""
    root = Path(__file__).resolve().parents[3]
    tried = [Path(os.environ["POINT3R_SHARED"])] if "POINT3R_SHARED" in os.environ else [root.parent / "shared"]
    for shared in tried:
        if (shared / "golden/tiny/expected.safetensors").is_file():
            return shared / "golden"
    pytest.skip(f"no reference tensors in {tried[0]}: set POINT3R_SHARED to the folder that holds golden/")
