"""pm4py with what its documentation does not tell: the directly-follows graph first, then IMd on it."""

from pm4py_tree import from_graph, main

if __name__ == "__main__":
    main(from_graph)
