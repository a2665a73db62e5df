"""Where journeys are over time (Aalen-Johansen), for logs and for multi-state data of any kind."""
