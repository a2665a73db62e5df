"""What each section of the page shows: plain values and sentences for the templates."""
