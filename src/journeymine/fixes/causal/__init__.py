"""Causal care: when a what-if may be read as an effect, and how far it can be trusted."""
