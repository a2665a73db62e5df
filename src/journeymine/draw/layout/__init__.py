"""The stage-aligned layered layout of the process map: rows, order, places, lanes and ports.

A layered drawing after Sugiyama, Tagawa and Toda (1981), in bands of stages, that keeps still from run to run.
Pure Python, no randomness: ties go by id, results are rounded to a tenth of a pixel.
"""
