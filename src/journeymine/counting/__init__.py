"""From queries to typed counts, one module a subject: the only place where the numerics' input meets the engine."""
