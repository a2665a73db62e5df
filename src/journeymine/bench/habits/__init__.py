"""How fixes are ranked today: each habit as it is practised, in plain words and few lines."""
