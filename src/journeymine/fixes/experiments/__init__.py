"""Experiments: the test of a fix planned, its result read back, and what past results say about new predictions."""
