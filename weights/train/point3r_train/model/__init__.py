"""The network (spec sections 3 to 5)."""

from .network import Point3R, Prediction, State

__all__ = ["Point3R", "Prediction", "State"]
