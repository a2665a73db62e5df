"""Fixes: what would move the goal most, how surely, and what to do next."""
