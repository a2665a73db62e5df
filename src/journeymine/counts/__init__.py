"""Typed counts, one module a subject: what the engine hands to the numerics. Integers, frozen, in no row order."""
