"""Where in `plan.yaml` something stands: the line of a path of keys and indexes.

The models know no lines, and an author corrects lines. The file is composed a second time, without being loaded: the
tree of nodes has a mark for each, and an alias leads to the node of its anchor, which is where one has to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from orchestrator.plan import yaml_text

if TYPE_CHECKING:
    from orchestrator.mapping.expressions import Path


class Places:
    """The tree of one file."""

    def __init__(self, text: str) -> None:
        """Compose; the text has been loaded before, so it is YAML."""
        self._root = yaml_text.composed(text)

    def line(self, path: Path) -> int:
        """The line of the deepest node on the way that exists."""
        node, line = self._root, 1
        for part in path:
            if isinstance(node, yaml.MappingNode):
                pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line
