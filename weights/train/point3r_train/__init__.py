"""Training of Point3R networks (docs/training.md).

The same network as the Rust crate's `model`, written for PyTorch: same `config.json`, same parameter names,
held to the same reference tensors. Commands: `python -m point3r_train --help`.
"""
