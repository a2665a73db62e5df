"""Engines that hold the events and count; everything above them is Python on arrays."""
