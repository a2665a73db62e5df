"""journeymine: event logs in, a ranked list of the fixes that move the needle out."""

__version__ = "0.1.0"
