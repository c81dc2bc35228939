"""Who else could answer "which cities lie downstream, how far in hours": each as quick as its library allows, from the same arrays.

All of them get the arrays of the generated world, a question as a reach number, and give (city numbers, hours) in the order the water comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import rustworkx as rx
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.footprint_river_world import World

    Answer = tuple[np.ndarray, np.ndarray]


def city_on(w: World) -> np.ndarray:
    """The city of each reach, -1 without one."""
    on = np.full(len(w.down), -1)
    on[w.city_reach] = np.arange(len(w.city_reach))
    return on


def scipy_csgraph(w: World) -> Callable[[int], Answer]:
    """Breadth-first order downstream (a path in a tree), then running sums over it with numpy."""
    inside = np.flatnonzero(w.down >= 0)
    graph = csr_array((np.ones(len(inside), dtype=np.int8), (inside, w.down[inside])), shape=(len(w.down),) * 2)
    on, hours = city_on(w), w.hours

    def answer(at: int) -> Answer:
        path = breadth_first_order(graph, at, directed=True, return_predecessors=False)
        city = on[path]
        return city[city >= 0], np.cumsum(hours[path])[city >= 0]

    return answer


def rustworkx_dijkstra(w: World) -> Callable[[int], Answer]:
    """Shortest path lengths from the source; its own hours are added since a city lies at the lower end."""
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(len(w.down)))
    hours = w.hours.tolist()
    # The weight of an edge is the time through the reach it leads into.
    graph.extend_from_weighted_edge_list([(at, to, hours[to]) for at, to in enumerate(w.down.tolist()) if to >= 0])
    on = city_on(w)

    def answer(at: int) -> Answer:
        lengths = rx.digraph_dijkstra_shortest_path_lengths(graph, at, float)
        path = np.array([at, *lengths.keys()])
        took = np.array([0.0, *lengths.values()]) + hours[at]
        order = np.argsort(took)
        city = on[path[order]]
        return city[city >= 0], took[order][city >= 0]

    return answer


def rustworkx_descendants(w: World) -> Callable[[int], Answer]:
    """Only the set of what lies downstream, then the times: by reach number, which in this world falls downstream."""
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(len(w.down)))
    graph.extend_from_edge_list([(at, to) for at, to in enumerate(w.down.tolist()) if to >= 0])
    on, hours = city_on(w), w.hours

    def answer(at: int) -> Answer:
        found = rx.descendants(graph, at)
        path = np.sort(np.fromiter(found, dtype=np.int64, count=len(found)))[::-1]
        path = np.append(at, path)
        city = on[path]
        return city[city >= 0], np.cumsum(hours[path])[city >= 0]

    return answer


def networkx_walk(w: World) -> Callable[[int], Answer]:
    """Depth-first preorder downstream."""
    graph = nx.DiGraph()
    graph.add_edges_from((at, to) for at, to in enumerate(w.down.tolist()) if to >= 0)
    on, hours = city_on(w), w.hours

    def answer(at: int) -> Answer:
        path = np.fromiter(nx.dfs_preorder_nodes(graph, at), dtype=np.int64) if at in graph else np.array([at])
        city = on[path]
        return city[city >= 0], np.cumsum(hours[path])[city >= 0]

    return answer


PEERS = {
    "scipy.sparse.csgraph": scipy_csgraph,
    "rustworkx dijkstra": rustworkx_dijkstra,
    "rustworkx descendants": rustworkx_descendants,
    "networkx": networkx_walk,
}
