"""From effects to a decision: net value, who is best how surely, what it costs to be wrong, what a test is worth."""
