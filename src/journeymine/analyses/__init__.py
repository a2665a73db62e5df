"""Questions that need several counts, one module each: counts of a log in, a result out."""
