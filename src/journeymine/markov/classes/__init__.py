"""Kinds of customers: mixtures of chains, their number, and personas."""
