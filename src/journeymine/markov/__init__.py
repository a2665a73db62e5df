"""Markov chains of journeys that end in a goal or in dropping out."""
