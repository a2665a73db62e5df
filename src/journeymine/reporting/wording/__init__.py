"""What the report says, by subject: each function reads one report dict and returns sentences."""
