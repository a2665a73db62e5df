"""Does one chain describe these journeys: memory, differences between segments, change over time."""
