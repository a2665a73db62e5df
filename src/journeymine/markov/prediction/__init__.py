"""What is to be expected of a journey that is under way, and how good such predictions were."""
