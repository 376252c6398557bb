"""Whether this is `make soak`: the long forms of what `make test` takes samples of."""

from __future__ import annotations

import os
from typing import Final

SOAK: Final = bool(os.environ.get("CHANGEOVER_SOAK"))
