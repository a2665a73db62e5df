"""What a fix would change: operators on the rows of the chain, and their exact effects."""
