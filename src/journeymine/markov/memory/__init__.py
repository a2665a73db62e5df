"""How much of the past a state must know: orders compared, context trees, states that remember."""
