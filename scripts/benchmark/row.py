"""What a row of the benchmark is."""
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Goal:
    """What is expected of a case, absolutely or as a ratio to another case."""

    metric: str
    case: str
    highest: float
    peer: str = ""
    lowest: float = 0
    # The peer's figure counts so many times, and what the first of these two cases takes beyond the second is added to it.
    factor: float = 1
    beyond: tuple = ()


@dataclass
class Row:
    """Programs that take turns. `prepare` gets the laboratory and returns each case's name with what measures it once."""

    title: str
    prepare: Callable
    goals: list
    most_turns: int = 1000
    # Runs of each case in a turn; many where a run is short.
    runs: int = 1
    # For a picture of growth: what the lower axis counts, and each case's line and place on it.
    axis: str = ""
    lines: dict = field(default_factory=dict)


@dataclass
class Result:
    """What a row gave: each case's samples in the order of the turns, or why there are none."""

    name: str
    row: Row
    samples: dict = field(default_factory=dict)
    fault: str = ""


def once(make):
    """A case that makes what it measures with, takes one backup, and puts it aside."""
    def case():
        program = make()
        sample = program.backup()
        program.discard()
        return sample
    return case
