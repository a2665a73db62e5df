"""How long it takes: waits of moves (semi-Markov), and the time to the goal by renewal equations."""
